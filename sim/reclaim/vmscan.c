// SPDX-License-Identifier: GPL-2.0-only
#include "sim/reclaim/vmscan.h"

#include "sim/reclaim/iter_walk.h"

struct scan_control {
	struct mem_cgroup *target;
	int64_t nr_to_reclaim, nr_reclaimed; /* pages */
	uint32_t priority;		     /* 12: a 4096th of the pages, 0: all */
	bool may_fs, kswapd;
};

static int64_t smaller(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static void count_pages(struct task *t, struct mem_cgroup *memcg, int64_t scanned,
			int64_t reclaimed)
{
	struct memcg_reclaim *mr = memcg_reclaim(memcg);

	iter_count(t, &mr->nr_scanned, (uint64_t)scanned);
	iter_count(t, &mr->nr_reclaimed, (uint64_t)reclaimed);
	iter_count(t, &reclaim_of(t)->nr_reclaimed, (uint64_t)reclaimed);
}

/* What is left of a removed cgroup is scraped out, however little it is. */
static int64_t scan_count(struct task *t, const struct mem_cgroup *memcg, uint32_t priority)
{
	int64_t pages, scan;

	sched_read(t, memcg->css.of, FIELD_LRU, "get_scan_count.size");
	pages = memcg->lru_pages;
	scan = pages >> priority;
	touch(t->w, memcg->css.of, FIELD_ONLINE, ACCESS_READ);
	if (scan == 0 && !memcg->css.online)
		scan = smaller(pages, SWAP_CLUSTER_MAX);
	return scan;
}

static void shrink_lruvec(struct task *t, struct mem_cgroup *memcg, struct scan_control *sc)
{
	FRAME(t);
	int64_t left = scan_count(t, memcg, sc->priority), scanned = 0, reclaimed = 0;

	while (left > 0 && sc->nr_reclaimed < sc->nr_to_reclaim) {
		int64_t batch = smaller(left, SWAP_CLUSTER_MAX);
		int64_t n = mem_cgroup_uncharge_user(t, memcg, batch);

		left -= batch;
		scanned += batch;
		reclaimed += n;
		sc->nr_reclaimed += n;
		cond_resched(t);
	}
	if (scanned == 0)
		return;
	trace(t, SHRINK_LRU, .obj = memcg->css.of, .arg = {scanned, reclaimed, sc->priority});
	count_pages(t, memcg, scanned, reclaimed);
}

/* With whom a walk shares its position. */
static bool is_shared(const struct task *t, const struct scan_control *sc)
{
	switch (reclaim_config(t)->walks) {
	case PRIVATE_WALKS:
		return false;
	case PARTIAL_WALKS:
		return !sc->kswapd;
	case SHARED_WALKS:
		break;
	}
	return true;
}

/* Whoever looks for the machine looks everywhere, and up to v5.3 that is not only kswapd. */
static bool may_stop(const struct task *t, const struct scan_control *sc)
{
	bool global = mem_cgroup_is_root(sc->target);

	if (!is_shared(t, sc) || sc->nr_reclaimed < sc->nr_to_reclaim)
		return false;
	return reclaim_config(t)->walks == PARTIAL_WALKS || !global;
}

/*
 * Kernel objects.  What counts is the pages that this task itself sees freed: objects that RCU
 * frees give theirs back when reclaim has ended.
 */
static void shrink_slab_of(struct task *t, struct mem_cgroup *memcg, struct scan_control *sc)
{
	int64_t before = t->reclaimed_slab;

	shrink_slab(t, memcg, sc->may_fs, sc->priority);
	sc->nr_reclaimed += t->reclaimed_slab - before;
}

static void shrink_node(struct task *t, struct scan_control *sc)
{
	FRAME(t);
	struct mem_cgroup_reclaim_cookie cookie = {.priority = sc->priority};
	struct mem_cgroup_reclaim_cookie *shared = is_shared(t, sc) ? &cookie : NULL;
	struct mem_cgroup *memcg = mem_cgroup_iter(t, sc->target, NULL, shared);

	while (memcg) {
		shrink_lruvec(t, memcg, sc);
		shrink_slab_of(t, memcg, sc);
		if (may_stop(t, sc)) {
			mem_cgroup_iter_break(t, sc->target, memcg);
			return;
		}
		memcg = mem_cgroup_iter(t, sc->target, memcg, shared);
	}
	/* What belongs to no memcg. */
	if (mem_cgroup_is_root(sc->target))
		shrink_slab_of(t, NULL, sc);
}

static int64_t do_try_to_free_pages(struct task *t, struct scan_control *sc)
{
	FRAME(t);

	trace(t, RECLAIM_BEGIN, .obj = sc->target->css.of, .arg = {sc->nr_to_reclaim, sc->kswapd});
	for (sc->priority = DEF_PRIORITY;; sc->priority--) {
		shrink_node(t, sc);
		if (sc->nr_reclaimed >= sc->nr_to_reclaim || sc->priority == 0)
			break;
		cond_resched(t);
	}
	trace(t, RECLAIM_END, .obj = sc->target->css.of,
	      .arg = {sc->nr_to_reclaim, sc->nr_reclaimed, sc->priority});
	return sc->nr_reclaimed;
}

int64_t try_to_free_mem_cgroup_pages(struct task *t, struct mem_cgroup *memcg, int64_t nr_pages,
				     bool may_fs)
{
	FRAME(t);
	struct scan_control sc = {
		.target = memcg,
		.nr_to_reclaim = nr_pages,
		.may_fs = may_fs,
	};

	return do_try_to_free_pages(t, &sc);
}

int64_t balance_pgdat(struct task *t, int64_t nr_pages)
{
	FRAME(t);
	struct scan_control sc = {
		.target = mm_of(t->w)->root_memcg,
		.nr_to_reclaim = nr_pages,
		.may_fs = true,
		.kswapd = true,
	};

	return do_try_to_free_pages(t, &sc);
}
