// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shrinkers: registration, how much to scan, whom to ask.
 */
#include "sim/reclaim/shrinker.h"

#include <errno.h>

#include "sim/reclaim/fields.h"
#include "sim/reclaim/reclaim.h"

#define SHRINKER_ID_MAX 65535
/* A count below zero, taken for an unsigned one, leaves about this much to do. */
#define NO_END (INT64_MAX / 2)

static struct shrinkers *shrinkers_of(const struct task *t)
{
	return &reclaim_of(t)->shrinkers;
}

static bool has_bits(const struct task *t)
{
	enum shrinker_form form = shrinker_config(t)->form;

	return form == SHRINK_MAP || form == SHRINK_INFO;
}

void shrinkers_init(struct world *w, struct shrinkers *all)
{
	init_rwsem(w, &all->rwsem, "shrinker_rwsem");
	mutex_init(w, &all->map_mutex, "memcg_shrinker_map_mutex");
	list_init(&all->all);
	idr_init(w, &all->ids, 0, SHRINKER_ID_MAX);
}

/* ---- debugfs ---------------------------------------- */

static void debugfs_create(struct task *t, struct debugfs_file *file, oid_t of)
{
	file->id = world_new_id(t->w, OBJ_DEBUGFS);
	file->removed = false;
	file->nr_active = 0;
	init_completion(t->w, &file->drained);
	trace(t, OBJ_NEW, .obj = file->id, .arg = {(int64_t)of}, .str = "shrinker debugfs");
}

static bool debugfs_file_get(struct task *t, struct debugfs_file *file)
{
	sched_access(t, file->id, DEBUGFS_ACTIVE, ACCESS_RMW, "debugfs_file_get.active");
	if (file->removed)
		return false;
	file->nr_active++;
	return true;
}

static void debugfs_file_put(struct task *t, struct debugfs_file *file)
{
	sched_access(t, file->id, DEBUGFS_ACTIVE, ACCESS_RMW, "debugfs_file_put.active");
	if (--file->nr_active == 0 && file->removed)
		complete(t, &file->drained);
}

static void debugfs_remove(struct task *t, struct debugfs_file *file)
{
	FRAME(t);

	sched_access(t, file->id, DEBUGFS_ACTIVE, ACCESS_RMW, "debugfs_remove.removed");
	file->removed = true;
	if (file->nr_active > 0)
		wait_for_completion(t, &file->drained, "active_users_drained");
	trace(t, OBJ_STATE, .obj = file->id, .str = "removed");
}

/* The objects of one memcg after the other, as the file shows them. */
static int64_t count_everybody(struct task *t, struct shrinker *s)
{
	struct mem_cgroup *memcg = NULL;
	int64_t sum = 0;

	while ((memcg = mem_cgroup_iter(t, mm_of(t->w)->root_memcg, memcg, NULL)) != NULL) {
		struct shrink_control sc = {.memcg = memcg, .may_fs = true};
		int64_t n = s->count_objects(t, s, &sc);

		if (n > 0)
			sum += n;
	}
	return sum;
}

int64_t shrinker_debugfs_count(struct task *t, struct shrinker *s)
{
	FRAME(t);
	const struct shrinker_config *config = shrinker_config(t);
	int64_t n;

	if (!config->debugfs)
		return -ENOENT;
	if (!debugfs_file_get(t, &s->debugfs))
		return -ENODEV;
	if (!config->refs)
		down_read(t, &shrinkers_of(t)->rwsem);
	n = count_everybody(t, s);
	if (!config->refs)
		up_read(t, &shrinkers_of(t)->rwsem);
	debugfs_file_put(t, &s->debugfs);
	return n;
}

/* ---- registration ---------------------------------------- */

/* Semaphore held for writing: an id, and bitmaps that have room for it. */
static int prealloc_memcg_shrinker(struct task *t, struct shrinker *s)
{
	struct shrinkers *all = shrinkers_of(t);
	int id, err = 0;

	touch(t->w, mm_of(t->w)->globals, FIELD_SHRINKERS, ACCESS_RMW);
	id = idr_alloc(&all->ids, s);
	if (id < 0)
		return -ENOMEM;
	if ((uint32_t)id >= all->nr_max)
		err = expand_shrinker_info(t, (uint32_t)id + 1);
	if (err) {
		idr_remove(&all->ids, id);
		return err;
	}
	s->nr = id;
	return 0;
}

int prealloc_shrinker(struct task *t, struct shrinker *s)
{
	FRAME(t);
	int err;

	s->id = world_new_id(t->w, OBJ_SHRINKER);
	s->nr = -1;
	s->nr_deferred = 0;
	s->registered = false;
	list_init(&s->node);
	trace(t, OBJ_NEW, .obj = s->id, .arg = {0, sizeof(*s)}, .str = s->name);
	if (fault_point(t, "prealloc_shrinker"))
		return -ENOMEM;
	if (!(s->flags & SHRINKER_MEMCG_AWARE) || !has_bits(t))
		return 0;
	down_write(t, &shrinkers_of(t)->rwsem);
	err = prealloc_memcg_shrinker(t, s);
	up_write(t, &shrinkers_of(t)->rwsem);
	return err;
}

static void free_id(struct task *t, struct shrinker *s)
{
	if (s->nr < 0)
		return;
	sched_access(t, mm_of(t->w)->globals, FIELD_SHRINKERS, ACCESS_RMW,
		     "unregister_memcg_shrinker.idr_remove");
	idr_remove(&shrinkers_of(t)->ids, s->nr);
}

static void shrinker_gone(struct task *t, struct shrinker *s, const char *how)
{
	touch(t->w, s->id, FIELD_LIFE, ACCESS_WRITE);
	trace(t, OBJ_FREE, .obj = s->id, .str = how);
}

void free_prealloced_shrinker(struct task *t, struct shrinker *s)
{
	FRAME(t);

	down_write(t, &shrinkers_of(t)->rwsem);
	free_id(t, s);
	up_write(t, &shrinkers_of(t)->rwsem);
	shrinker_gone(t, s, "free_prealloced_shrinker");
}

void register_shrinker_prepared(struct task *t, struct shrinker *s)
{
	FRAME(t);
	const struct shrinker_config *config = shrinker_config(t);
	struct shrinkers *all = shrinkers_of(t);

	down_write(t, &all->rwsem);
	sched_write(t, mm_of(t->w)->globals, FIELD_SHRINKERS, "register_shrinker.list");
	list_add_tail(&s->node, &all->all);
	s->serial = ++all->next_serial;
	if (config->debugfs)
		debugfs_create(t, &s->debugfs, s->id);
	s->refcount = 1;
	if (config->refs)
		init_completion(t->w, &s->done);
	s->registered = true;
	trace(t, SHRINKER_REGISTER, .obj = s->id, .arg = {s->nr, s->flags & SHRINKER_MEMCG_AWARE},
	      .str = s->name);
	up_write(t, &all->rwsem);
}

static void free_shrinker_rcu(struct task *t, struct rcu_head *head)
{
	shrinker_gone(t, container_of(head, struct shrinker, rcu), "shrinker_free_rcu_cb");
}

static bool shrinker_try_get(struct task *t, struct shrinker *s)
{
	sched_access(t, s->id, SHRINKER_REFS, ACCESS_RMW, "shrinker_try_get.refcount");
	if (s->refcount == 0)
		return false;
	s->refcount++;
	return true;
}

static void shrinker_put(struct task *t, struct shrinker *s)
{
	sched_access(t, s->id, SHRINKER_REFS, ACCESS_RMW, "shrinker_put.refcount");
	if (--s->refcount == 0)
		complete(t, &s->done);
}

static void unlink_shrinker(struct task *t, struct shrinker *s)
{
	sched_write(t, mm_of(t->w)->globals, FIELD_SHRINKERS, "unregister_shrinker.list");
	list_del(&s->node);
	s->registered = false;
	trace(t, SHRINKER_UNREGISTER, .obj = s->id, .arg = {s->nr});
	free_id(t, s);
}

void unregister_shrinker(struct task *t, struct shrinker *s)
{
	FRAME(t);
	const struct shrinker_config *config = shrinker_config(t);
	struct shrinkers *all = shrinkers_of(t);
	bool file = config->debugfs;

	if (config->refs) {
		shrinker_put(t, s);
		wait_for_completion(t, &s->done, "users of the shrinker");
	}
	down_write(t, &all->rwsem);
	unlink_shrinker(t, s);
	if (file && config->debugfs_under_rwsem)
		debugfs_remove(t, &s->debugfs);
	up_write(t, &all->rwsem);
	if (file && !config->debugfs_under_rwsem)
		debugfs_remove(t, &s->debugfs);
	if (config->refs)
		call_rcu(t, &s->rcu, free_shrinker_rcu, s->id);
	else
		shrinker_gone(t, s, "unregister_shrinker");
}

/* ---- deferred work ---------------------------------------- */

/* Where the work that @s leaves behind for @memcg is noted, and of what object that is a part. */
static int64_t *deferred_of(struct task *t, struct shrinker *s, struct mem_cgroup *memcg, oid_t *of)
{
	struct shrinker_unit *unit;

	*of = s->id;
	if (shrinker_config(t)->form != SHRINK_INFO || !memcg || s->nr < 0)
		return &s->nr_deferred;
	unit = shrinker_unit_of(shrinker_info_of(t, memcg), (uint32_t)s->nr);
	if (!unit)
		return &s->nr_deferred;
	*of = unit->id;
	return &unit->nr_deferred[(uint32_t)s->nr - unit->first];
}

static int64_t xchg_nr_deferred(struct task *t, struct shrinker *s, struct mem_cgroup *memcg)
{
	oid_t of;
	int64_t *nr, old;

	rcu_read_lock(t);
	nr = deferred_of(t, s, memcg, &of);
	sched_access(t, of, SHRINKER_DEFERRED, ACCESS_RMW, "xchg_nr_deferred.xchg");
	old = *nr;
	*nr = 0;
	rcu_read_unlock(t);
	return old;
}

static int64_t add_nr_deferred(struct task *t, struct shrinker *s, struct mem_cgroup *memcg,
			       int64_t n)
{
	oid_t of;
	int64_t *nr;

	rcu_read_lock(t);
	nr = deferred_of(t, s, memcg, &of);
	sched_access(t, of, SHRINKER_DEFERRED, ACCESS_RMW, "add_nr_deferred.add");
	*nr = *nr > NO_END - n ? NO_END : *nr + n;
	n = *nr;
	rcu_read_unlock(t);
	return n;
}

/* ---- how much ---------------------------------------- */

static int64_t share_of(const struct shrinker *s, int64_t freeable, int priority)
{
	return s->seeks ? (freeable >> priority) * 4 / s->seeks : freeable / 2;
}

static int64_t total_of(int64_t deferred, int64_t delta, int64_t freeable)
{
	int64_t total = deferred > NO_END - delta ? NO_END : deferred + delta;

	/* Work that piled up must not throw everything out as soon as there is a little to do. */
	if (delta < freeable / 4 && total > freeable / 2)
		total = freeable / 2;
	return total > freeable * 2 ? freeable * 2 : total;
}

/* In batches, until less than one is left: how many were freed. */
static int64_t scan(struct task *t, struct shrinker *s, struct shrink_control *sc, int64_t freeable,
		    int64_t total, int64_t *scanned)
{
	int64_t batch = s->batch ? s->batch : SHRINK_BATCH, freed = 0;

	*scanned = 0;
	while (total >= batch || (total >= freeable && total > 0)) {
		int64_t n;

		sc->nr_to_scan = total < batch ? total : batch;
		sc->nr_scanned = sc->nr_to_scan;
		n = s->scan_objects(t, s, sc);
		if (n == SHRINK_STOP)
			break;
		freed += n;
		total -= sc->nr_scanned;
		*scanned += sc->nr_scanned;
		cond_resched(t);
	}
	return freed;
}

static int64_t do_shrink_slab(struct task *t, struct shrinker *s, struct shrink_control *sc,
			      int priority)
{
	FRAME(t);
	oid_t memcg = sc->memcg ? sc->memcg->css.of : 0;
	int64_t freeable = s->count_objects(t, s, sc), deferred, delta, total, scanned, freed;

	if (freeable == 0 || freeable == SHRINK_EMPTY)
		return freeable;
	deferred = xchg_nr_deferred(t, s, sc->memcg);
	if (freeable < 0) {
		/* Unsigned, it is more than fits: no scan now, and no end of work for later. */
		trace(t, WARN, .obj = s->id, .arg = {freeable},
		      .str = "count of objects below zero");
		add_nr_deferred(t, s, sc->memcg, NO_END);
		return 0;
	}
	delta = share_of(s, freeable, priority);
	total = total_of(deferred, delta, freeable);
	trace(t, SHRINK_BEGIN, .obj = s->id, .arg = {(int64_t)memcg, freeable, deferred, total});
	freed = scan(t, s, sc, freeable, total, &scanned);
	deferred = deferred > NO_END - delta ? NO_END : deferred + delta;
	deferred = deferred > scanned ? deferred - scanned : 0;
	if (deferred > 0)
		deferred = add_nr_deferred(t, s, sc->memcg, deferred);
	trace(t, SHRINK_END, .obj = s->id, .arg = {(int64_t)memcg, freed, scanned, deferred});
	return freed;
}

/* ---- whom: every one ---------------------------------------- */

static bool wanted(struct task *t, const struct shrinker *s, const struct mem_cgroup *memcg)
{
	bool aware = s->flags & SHRINKER_MEMCG_AWARE;

	if (has_bits(t))
		return true;
	if (memcg)
		return aware;
	/* Without a memcg, aware ones see what belongs to none. */
	return !aware || !shrinker_config(t)->global_skips_aware;
}

static int64_t shrink_one(struct task *t, struct shrinker *s, struct mem_cgroup *memcg, bool may_fs,
			  int priority)
{
	struct shrink_control sc = {.memcg = memcg, .may_fs = may_fs};
	int64_t n;

	if (!wanted(t, s, memcg))
		return 0;
	n = do_shrink_slab(t, s, &sc, priority);
	return n == SHRINK_EMPTY ? 0 : n;
}

static bool rwsem_is_contended(struct task *t, const struct rw_semaphore *s)
{
	touch(t->w, s->id, FIELD_LOCK, ACCESS_READ);
	return !list_empty(&s->waiters);
}

static int64_t shrink_all_locked(struct task *t, struct mem_cgroup *memcg, bool may_fs,
				 int priority)
{
	struct shrinkers *all = shrinkers_of(t);
	int64_t freed = 0;

	sched_point(t, COST_LOCK);
	if (!down_read_trylock(t, &all->rwsem))
		/* Who gets 0 would think that there is nothing to be had. */
		return has_bits(t) ? 0 : 1;
	list_for_each(node, &all->all) {
		freed += shrink_one(t, container_of(node, struct shrinker, node), memcg, may_fs,
				    priority);
		if (rwsem_is_contended(t, &all->rwsem)) {
			freed = freed ? freed : 1;
			break;
		}
	}
	up_read(t, &all->rwsem);
	return freed;
}

/* In a read section: the next one after @serial that can still be had, with a reference. */
static struct shrinker *next_counted(struct task *t, uint64_t serial)
{
	struct shrinkers *all = shrinkers_of(t);

	sched_read(t, mm_of(t->w)->globals, FIELD_SHRINKERS, "shrink_slab.next");
	for (;;) {
		struct shrinker *s = NULL;

		touch(t->w, mm_of(t->w)->globals, FIELD_SHRINKERS, ACCESS_READ);
		list_for_each(node, &all->all) {
			s = container_of(node, struct shrinker, node);
			if (s->serial > serial)
				break;
			s = NULL;
		}
		if (!s || shrinker_try_get(t, s))
			return s;
		serial = s->serial;
	}
}

/* The next one is looked up before the last is put, which keeps its place until then. */
static int64_t shrink_all_counted(struct task *t, struct mem_cgroup *memcg, bool may_fs,
				  int priority)
{
	struct shrinker *s, *next;
	int64_t freed = 0;

	rcu_read_lock(t);
	s = next_counted(t, 0);
	rcu_read_unlock(t);
	for (; s; s = next) {
		freed += shrink_one(t, s, memcg, may_fs, priority);
		rcu_read_lock(t);
		next = next_counted(t, s->serial);
		shrinker_put(t, s);
		rcu_read_unlock(t);
	}
	return freed;
}

static int64_t shrink_all(struct task *t, struct mem_cgroup *memcg, bool may_fs, int priority)
{
	if (shrinker_config(t)->refs)
		return shrink_all_counted(t, memcg, may_fs, priority);
	return shrink_all_locked(t, memcg, may_fs, priority);
}

/* ---- whom: those whose bit is set ---------------------------------------- */

/* The shrinker with bit @nr; NULL if there is none to call, *@gone if there never will be. */
static struct shrinker *find_shrinker(struct task *t, uint32_t nr, bool *gone)
{
	struct shrinker *s;

	touch(t->w, mm_of(t->w)->globals, FIELD_SHRINKERS, ACCESS_READ);
	s = idr_find(&shrinkers_of(t)->ids, (int)nr);
	*gone = !s;
	return s && s->registered ? s : NULL;
}

/*
 * Nothing found: clear the bit, and look once more.  Whoever adds an item makes it visible
 * before he sets the bit, so one of us sees the other.
 */
static int64_t shrink_again(struct task *t, struct shrinker *s, struct shrink_control *sc,
			    struct shrinker_unit *unit, int priority)
{
	int64_t n;

	shrinker_bit_write(t, sc->memcg, unit, (uint32_t)s->nr, false);
	if (shrinker_config(t)->bit_without_rescan)
		return 0;
	n = do_shrink_slab(t, s, sc, priority);
	if (n == SHRINK_EMPTY)
		return 0;
	set_shrinker_bit(t, sc->memcg, s->nr);
	return n;
}

static int64_t shrink_bit(struct task *t, struct mem_cgroup *memcg, struct shrinker_unit *unit,
			  uint32_t nr, bool may_fs, int priority)
{
	bool counted = shrinker_config(t)->refs, gone;
	struct shrink_control sc = {.memcg = memcg, .may_fs = may_fs};
	struct shrinker *s;
	int64_t n;

	if (counted)
		rcu_read_lock(t);
	s = find_shrinker(t, nr, &gone);
	if (counted && s && !shrinker_try_get(t, s)) {
		s = NULL;
		gone = true;
	}
	if (gone)
		shrinker_bit_write(t, memcg, unit, nr, false);
	if (counted)
		rcu_read_unlock(t);
	if (!s)
		return 0;
	n = do_shrink_slab(t, s, &sc, priority);
	if (n == SHRINK_EMPTY)
		n = shrink_again(t, s, &sc, unit, priority);
	if (counted)
		shrinker_put(t, s);
	return n;
}

static int64_t shrink_unit(struct task *t, struct mem_cgroup *memcg, struct shrinker_unit *unit,
			   bool may_fs, int priority, bool *stop)
{
	struct shrinkers *all = shrinkers_of(t);
	int64_t freed = 0;

	for (uint32_t nr = unit->first; nr < unit->first + unit->nr && !*stop; nr++) {
		if (!shrinker_bit_read(t, unit, nr))
			continue;
		freed += shrink_bit(t, memcg, unit, nr, may_fs, priority);
		*stop = !shrinker_config(t)->refs && rwsem_is_contended(t, &all->rwsem);
	}
	return freed;
}

/* Units are looked up one by one: each may have been joined by others meanwhile. */
static int64_t shrink_units(struct task *t, struct mem_cgroup *memcg, bool may_fs, int priority)
{
	bool stop = false;
	int64_t freed = 0;

	for (uint32_t i = 0; !stop; i++) {
		struct shrinker_unit *unit = NULL;
		struct shrinker_info *info;

		rcu_read_lock(t);
		info = shrinker_info_of(t, memcg);
		if (info && i < info->nr_units)
			unit = info->unit[i];
		rcu_read_unlock(t);
		if (!unit)
			break;
		freed += shrink_unit(t, memcg, unit, may_fs, priority, &stop);
	}
	return stop && !freed ? 1 : freed;
}

static int64_t shrink_slab_memcg(struct task *t, struct mem_cgroup *memcg, bool may_fs,
				 int priority)
{
	FRAME(t);
	struct shrinkers *all = shrinkers_of(t);
	int64_t freed;

	if (shrinker_config(t)->refs)
		return shrink_units(t, memcg, may_fs, priority);
	sched_point(t, COST_LOCK);
	if (!down_read_trylock(t, &all->rwsem))
		return 0;
	freed = shrink_units(t, memcg, may_fs, priority);
	up_read(t, &all->rwsem);
	return freed;
}

static bool mem_cgroup_online(struct task *t, const struct mem_cgroup *memcg)
{
	if (mem_cgroup_is_root(memcg) && !has_bits(t))
		return shrinker_config(t)->global_skips_aware;
	sched_read(t, memcg->css.of, FIELD_ONLINE, "mem_cgroup_online.flags");
	return memcg->css.online;
}

int64_t shrink_slab(struct task *t, struct mem_cgroup *memcg, bool may_fs, int priority)
{
	FRAME(t);

	might_sleep(t);
	may_fs = may_fs && !t->memalloc_nofs;
	/* With bits the root is a memcg like any other, only that it has none. */
	if (!memcg)
		return has_bits(t) ? 0 : shrink_all(t, NULL, may_fs, priority);
	if (shrinker_config(t)->form == SHRINK_GLOBAL || !mem_cgroup_online(t, memcg))
		return 0;
	if (has_bits(t) && !mem_cgroup_is_root(memcg))
		return shrink_slab_memcg(t, memcg, may_fs, priority);
	return shrink_all(t, memcg, may_fs, priority);
}
