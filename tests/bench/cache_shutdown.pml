/* SPDX-License-Identifier: GPL-2.0-only
 *
 * The model of scenarios/models/cache_shutdown.lua for Spin: N allocators, K allocations each.
 * A leak (the worker is never queued) shows as an invalid end state: the worker stays blocked.
 */
#ifndef N
#define N 1
#endif
#ifndef K
#define K 1
#endif

bit entry = 1;
short ref = 1;
bit freed;
bit queued;
bit armed;
bit rl[N];

inline put()
{
	d_step {
		ref--;
		last = (ref == 0)
	}
	if
	:: last -> queued = 1
	:: else
	fi
}

proctype alloc(byte i)
{
	byte k;
	bit got;
	bit last;

	do
	:: k < K ->
		got = 0;
		d_step { rl[i] == 0 -> rl[i] = 1 }
		if
		:: entry ->
			assert(!freed);
			d_step {
				if
				:: ref > 0 -> ref++; got = 1
				:: else
				fi
			}
		:: else
		fi;
		rl[i] = 0;
		if
		:: got ->
			assert(!freed);
			put()
		:: else
		fi;
		k++
	:: else -> break
	od
}

proctype offline()
{
	entry = 0;
	armed = 1
}

proctype rcu_cb()
{
	byte i;
	bit last;

	armed;
	do
	:: i < N ->
		d_step { rl[i] == 0 -> rl[i] = 1 };
		rl[i] = 0;
		i++
	:: else -> break
	od;
	put()
}

proctype worker()
{
	queued;
	d_step { assert(!freed); freed = 1 }
}

init {
	byte j;

	atomic {
		do
		:: j < N -> run alloc(j); j++
		:: else -> break
		od;
		run offline();
		run rcu_cb();
		run worker()
	}
}
