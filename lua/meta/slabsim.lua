-- SPDX-License-Identifier: GPL-2.0-only
--
-- Annotations for editors (LuaLS): what scenarios can use.  Never loaded by slabsim.
-- Add to .luarc.json:  "workspace.library": ["lua/meta"]

---@meta

---@class Handle
local Handle = {}
--- Its name; objects and pages in swap have none.
---@return string|nil
function Handle:name() end
--- Its number: 3 for what traces call cache:3.
---@return integer
function Handle:id() end

---@class Cgroup: Handle
---@class Cache: Handle
---@class Object: Handle
---@class Event: Handle
---@class Swap: Handle pages of user memory that went to swap
---@class Fs: Handle file system
---@class File: Handle open file

--- Small models.
---@class Cell: Handle
---@class Lock: Handle mutex or spinlock
---@class Rwsem: Handle
---@class Waitqueue: Handle
---@class Completion: Handle
---@class Work: Handle
---@class Workqueue: Handle
---@class PercpuRef: Handle
---@class Refcount: Handle
---@alias CellValue integer|boolean|Cell|nil

---@class CacheOptions
---@field object_size? integer bytes, 8 to 65536; default 192
---@field objects_per_slab? integer default: what fits
---@field account? boolean charge objects to the task's memcg; default true
---@field typesafe_by_rcu? boolean slab pages are freed after a grace period
---@field merge? boolean share an equal cache instead of creating one

---@class TaskOptions
---@field cpu? integer from 0; default: the tasks take turns
---@field cgroup? string|Cgroup path such as "app/box"; default: where the creator is

---@alias TaskFunction fun(t: Task, sim: Sim, opt: table<string, any>)

---@class Task: Handle
local Task = {}

---@param cache Cache
---@return Object|nil object nil and "ENOMEM" when the allocation failed
---@return string|nil error
function Task:alloc(cache) end
---@param cache Cache
---@param cgroup Cgroup
---@return Object|nil
---@return string|nil error
function Task:alloc_for(cache, cgroup) end
---@param cache Cache
---@param n integer
---@return Object[] # shorter than n when an allocation failed
function Task:alloc_many(cache, n) end
---@param object Object
function Task:free(object) end
---@param objects Object[]
function Task:free_many(objects) end
--- Free in a hard interrupt on a CPU (default: this one), some ns from now; returns at once.
---@param object Object
---@param cpu? integer
---@param delay? integer ns
function Task:irq_free(object, cpu, delay) end
--- Free below this task's own signal lock, as the record of a signal is.
---@param object Object
function Task:dequeue_signal(object) end
--- mem_cgroup_from_obj(), as list_lru calls it; from v5.9 on.
---@param object Object
function Task:memcg_of(object) end
--- Free in an RCU callback, after a grace period; returns at once.
---@param object Object
function Task:rcu_free(object) end

---@param name string
---@param options? CacheOptions
---@return Cache|nil
---@return string|nil error
function Task:create_cache(name, options) end
---@param cache Cache
---@return boolean ok
---@return string|nil error "EBUSY" when objects remain
function Task:destroy(cache) end
---@param cache Cache
function Task:shrink(cache) end
---@param cache Cache
---@return boolean ok
---@return string? error
function Task:shrink_all(cache) end
function Task:cpu_hotplug() end
---@param cgroup Cgroup
---@return boolean ok
---@return string? error
function Task:disable_memory(cgroup) end
---@param cgroup Cgroup
---@return boolean ok
---@return string? error
function Task:enable_threaded(cgroup) end
function Task:exit_accounting() end
--- Have the cgroup's child of the cache created, and wait until it exists.
---@param cache Cache
---@param cgroup Cgroup
---@return boolean ok
---@return string|nil error
function Task:create_child(cache, cgroup) end

---@param name string
---@param parent? Cgroup default: the root
---@return Cgroup|nil
---@return string|nil error
function Task:mkdir(name, parent) end
---@param cgroup Cgroup
---@return boolean ok
---@return string|nil error "EBUSY" with tasks or children in it, "ENODEV" when it is gone
function Task:rmdir(cgroup) end
--- The same as rmdir.
---@param cgroup Cgroup
---@return boolean ok
---@return string|nil error
function Task:offline(cgroup) end
---@param cgroup Cgroup
---@param task? Task default: this one
---@return boolean ok
---@return string|nil error
function Task:attach(cgroup, task) end
--- Charge pages of user memory.
---@param cgroup Cgroup
---@param pages integer
---@return boolean ok
---@return string|nil error
function Task:charge(cgroup, pages) end
---@param cgroup Cgroup
---@param pages integer
---@return integer uncharged what reclaim has left of them
function Task:uncharge(cgroup, pages) end
--- Reclaim from the cgroup and what is below it; from the root cgroup, for the machine.
---@param cgroup Cgroup
---@param pages integer
---@return integer|nil freed
---@return string|nil error "ENODEV"
function Task:reclaim(cgroup, pages) end
--- Reclaim from all cgroups, as kswapd does.
---@param pages integer
---@return integer freed
function Task:kswapd(pages) end
---@class IterateOptions
---@field max? integer memcgs, then the walk breaks off; default: all
---@field priority? integer 0 to 12, the default
---@field node? integer default 0
---@field zone? integer default 0
---@field shared? boolean go on where others have stopped; default true
--- Walk over the memcgs of a subtree with mem_cgroup_iter().
---@param cgroup Cgroup
---@param options? IterateOptions
---@return string[]|nil names
---@return string|nil error "ENODEV"
function Task:iterate(cgroup, options) end
--- What reclaim has done so far, everywhere or to one cgroup.
---@param cgroup? Cgroup
---@return table<string, integer> figures
function Task:reclaim_figures(cgroup) end
---@param cgroup Cgroup
---@param pages integer
---@param counter? "memory"|"kmem"|"swap"
---@return boolean ok
---@return string|nil error
function Task:set_max(cgroup, pages, counter) end
--- memory.high: nothing fails for it, but whoever is past it reclaims on return to user mode.
---@param cgroup Cgroup
---@param pages integer
---@return boolean ok
---@return string|nil error "ENODEV" when it is gone
function Task:set_high(cgroup, pages) end
--- Pages that Task:charge() charged go to swap, whether the cgroup still exists or not.
---@param cgroup Cgroup
---@param pages integer
---@return Swap|nil
---@return string|nil error "ENOMEM" when the limit of swap was hit
function Task:swap_out(cgroup, pages) end
--- Back to memory: charged to whom swap remembers, or to this task's cgroup.
---@param swap Swap
---@return boolean ok
---@return string|nil error "ENOMEM", or "ENOENT" when they are not in swap
function Task:swap_in(swap) end
--- Nobody needs these pages any more, wherever they are.
---@param swap Swap
---@return boolean ok
---@return string|nil error "EBUSY" while somebody brings them back, "ENOENT" when they are gone
function Task:swap_free(swap) end
--- Drop pages of page cache that Task:charge() charged.
---@param cgroup Cgroup
---@param pages integer
---@return integer shadow the id that a shadow entry keeps
function Task:evict(cgroup, pages) end
--- A dropped page is read again: look for the cgroup that the shadow entry names.
---@param shadow integer
---@return boolean found
function Task:refault(shadow) end
--- What memory.stat shows: pages, or bytes of slab from v5.9 on.  Needs statistics = true.
---@param cgroup Cgroup
---@param item "user"|"slab"
---@return integer|nil
---@return string|nil error "ENODEV" when it is gone
function Task:stat(cgroup, item) end
--- A CPU that no task is on goes away: its spare charges and statistics are given up.
---@param cpu integer
function Task:cpu_dead(cpu) end
---@alias GfpFlag "atomic"|"nofs"|"noretry"|"nofail"|"memalloc"|"dying"
--- What this task's allocations may do from now on; without flags, anything that may sleep.
---@param ... GfpFlag
function Task:gfp(...) end

---@class MountOptions
---@field objects_per_slab? integer of its caches; default: what fits
---@field inode_size? integer bytes, 64 to 65536; default 1080
---@field seeks? integer of the shrinker; default 2
---@field batch? integer of the shrinker; default 1024
---@field keep_files? boolean closed files are kept on a list of their own, as a server does

---@class FsFigures
---@field dentries integer
---@field inodes integer
---@field unused integer items on the lists
---@field lists integer
---@field slots integer of the arrays
---@field bytes integer of lists and arrays

---@param name string
---@param options? MountOptions
---@return Fs|nil
---@return string|nil error
function Task:mount(name, options) end
---@param fs Fs
---@return boolean ok
---@return string|nil error "EBUSY" while anybody is in it
function Task:umount(fs) end
--- A name that nobody has leaves a negative dentry behind.
---@param fs Fs
---@param name string
---@return boolean|nil exists
---@return string|nil error
function Task:lookup(fs, name) end
---@param fs Fs
---@param name string
---@return boolean ok
---@return string|nil error
function Task:create(fs, name) end
---@param fs Fs
---@param name string
---@return boolean ok
---@return string|nil error
function Task:unlink(fs, name) end
--- name.1, name.2, ...
---@param fs Fs
---@param name string
---@param n integer
---@param from? integer default 1
---@return integer done
---@return string|nil error of the first that failed
function Task:lookup_many(fs, name, n, from) end
---@param fs Fs
---@param name string
---@param n integer
---@param from? integer default 1
---@return integer done
---@return string|nil error of the first that failed
function Task:create_many(fs, name, n, from) end
---@param fs Fs
---@param name string
---@param n integer
---@param from? integer default 1
---@return integer done
---@return string|nil error of the first that failed
function Task:unlink_many(fs, name, n, from) end
---@param fs Fs
---@param name string
---@return File|nil
---@return string|nil error
function Task:open(fs, name) end
---@param file File
function Task:close(file) end
--- The dentry of the name goes, unless somebody uses it.
---@param fs Fs
---@param name string
---@return boolean ok
---@return string|nil error
function Task:invalidate(fs, name) end
--- One call of shrink_slab() for the cgroup alone.
---@param cgroup Cgroup
--- priority 12 to 0 (default: everything); fs = false: GFP_NOFS
---@param options? { priority?: integer, fs?: boolean }
---@return integer freed
function Task:shrink_slab(cgroup, options) end
---@return integer freed
function Task:drop_slab() end
---@param fs Fs
---@param cgroup? Cgroup default: everybody's
---@return integer
function Task:count_dentries(fs, cgroup) end
--- What debugfs says about the shrinker; from v6.0 on.
---@param fs Fs
---@return integer|nil objects
---@return string|nil error
function Task:read_shrinker(fs) end
--- For reports: no operation of the kernel.
---@param fs Fs
---@return FsFigures
function Task:fs_figures(fs) end

---@param ns integer
function Task:sleep(ns) end
--- Let others have the CPU.
function Task:yield() end
--- A choice of the schedule: what an exploration tries every value of.
---@param n integer
---@return integer # 1 to n
function Task:choice(n) end
--- A number from this task's own random stream.
---@param n integer
---@return integer # 1 to n
function Task:random(n) end
---@return integer ns # steps in an untimed run
function Task:now() end
---@param text string
function Task:log(text) end
--- A value for the measures of a study.
---@param name string
---@param value integer
function Task:measure(name, value) end
function Task:synchronize_rcu() end
function Task:rcu_barrier() end
--- Block until the event was signalled; it stays signalled.
---@param event Event
function Task:wait(event) end
---@param event Event
function Task:signal(event) end
---@class ScenarioCopies

---@param name string
---@param options TaskOptions
---@param fn TaskFunction
---@return Task
---@overload fun(self: Task, name: string, fn: TaskFunction): Task
function Task:spawn(name, options, fn) end
---@param task Task
function Task:join(task) end

---@param cell Cell
---@return CellValue
function Task:read_once(cell) end
---@param cell Cell
---@param value CellValue
function Task:write_once(cell, value) end
--- A plain read.
---@param cell Cell
---@return CellValue
function Task:load(cell) end
--- A plain write.
---@param cell Cell
---@param value CellValue
function Task:store(cell, value) end
---@param cell Cell
---@return CellValue
function Task:rcu_dereference(cell) end
---@param cell Cell
---@param value CellValue
function Task:rcu_assign_pointer(cell, value) end
---@param cell Cell
---@param value CellValue
---@return CellValue old
function Task:xchg(cell, value) end
---@param cell Cell
---@param old CellValue
---@param new CellValue
---@return CellValue found
function Task:cmpxchg(cell, old, new) end
---@param cell Cell
---@param fn fun(value: CellValue): CellValue
---@return CellValue old
function Task:update(cell, fn) end
---@param cell Cell
---@param n integer
---@return integer new
function Task:atomic_add(cell, n) end
---@param cell Cell
function Task:atomic_inc(cell) end
---@param cell Cell
function Task:atomic_dec(cell) end
---@param cell Cell
---@return boolean
function Task:inc_not_zero(cell) end
---@param cell Cell
---@return boolean
function Task:dec_and_test(cell) end
---@param refcount Refcount
function Task:refcount_inc(refcount) end
---@param refcount Refcount
---@return boolean
function Task:refcount_inc_not_zero(refcount) end
--- Puts what this context has got before, else one of the references that there were at first.
---@param refcount Refcount
---@return boolean # was it the last one?
function Task:refcount_dec_and_test(refcount) end
---@param refcount Refcount
---@return integer
function Task:refcount_read(refcount) end
--- Go on once the cell holds that value, or the function says so; it can use nothing but the value.
---@param cell Cell
---@param condition CellValue|fun(value: CellValue): boolean
---@return CellValue
function Task:wait_until(cell, condition) end
--- Later accesses are violations of use-after-free.
---@param cell Cell|Refcount
function Task:kfree(cell) end
---@param cell Cell|Refcount
function Task:kfree_rcu(cell) end
---@param lock Lock
function Task:lock(lock) end
---@param lock Lock
function Task:unlock(lock) end
---@param lock Lock
---@return boolean
function Task:trylock(lock) end
---@param rwsem Rwsem
function Task:down_read(rwsem) end
---@param rwsem Rwsem
function Task:up_read(rwsem) end
---@param rwsem Rwsem
function Task:down_write(rwsem) end
---@param rwsem Rwsem
function Task:up_write(rwsem) end
---@param waitqueue Waitqueue
function Task:prepare_to_wait(waitqueue) end
--- Sleep unless woken since prepare_to_wait.
function Task:schedule() end
---@param waitqueue Waitqueue
function Task:finish_wait(waitqueue) end
--- Wakes everybody.
---@param waitqueue Waitqueue
function Task:wake_up(waitqueue) end
---@param waitqueue Waitqueue
---@param condition fun(): any
function Task:wait_event(waitqueue, condition) end
---@param completion Completion
function Task:complete(completion) end
---@param completion Completion
function Task:complete_all(completion) end
---@param completion Completion
function Task:wait_for_completion(completion) end
function Task:preempt_disable() end
function Task:preempt_enable() end
function Task:local_irq_disable() end
function Task:local_irq_enable() end
function Task:local_bh_disable() end
function Task:local_bh_enable() end
function Task:rcu_read_lock() end
function Task:rcu_read_unlock() end
--- After a grace period, in a softirq.
---@param fn TaskFunction
---@param about? Cell
function Task:call_rcu(fn, about) end
---@param workqueue Workqueue
---@param work Work
---@return boolean # false if it was pending
function Task:queue_work(workqueue, work) end
---@param cpu integer
---@param workqueue Workqueue
---@param work Work
---@return boolean
function Task:queue_work_on(cpu, workqueue, work) end
---@param work Work
---@return boolean
function Task:schedule_work(work) end
---@param work Work
---@return boolean
function Task:flush_work(work) end
---@param work Work
---@return boolean # was it pending?
function Task:cancel_work_sync(work) end
---@param workqueue Workqueue
function Task:flush_workqueue(workqueue) end
---@param ref PercpuRef
---@param n? integer
function Task:percpu_ref_get(ref, n) end
---@param ref PercpuRef
---@param n? integer
function Task:percpu_ref_put(ref, n) end
---@param ref PercpuRef
---@return boolean
function Task:percpu_ref_tryget(ref) end
---@param ref PercpuRef
---@return boolean
function Task:percpu_ref_tryget_live(ref) end
---@param ref PercpuRef
---@return boolean
function Task:percpu_ref_is_zero(ref) end
---@param ref PercpuRef
---@param confirm? TaskFunction
function Task:percpu_ref_kill(ref, confirm) end
---@param ref PercpuRef
function Task:percpu_ref_reinit(ref) end
---@param ref PercpuRef
function Task:percpu_ref_exit(ref) end
--- A violation of the checker assert if it does not hold; the task goes on.
---@param condition any
---@param text string
---@return any # the condition
function Task:assert(condition, text) end
---@param text string
function Task:fail(text) end

---@class Sim
---@field opt table<string, any>
---@field root Cgroup
---@field [string] any
local Sim = {}

--- In setup only.
---@param name string
---@param parent? Cgroup
---@return Cgroup
function Sim:cgroup(name, parent) end
--- In setup only.
---@param name string
---@param options? CacheOptions
---@return Cache
function Sim:cache(name, options) end
---@param name string
---@param options? MountOptions
---@return Fs
function Sim:fs(name, options) end
--- In setup only.
---@param cache Cache
---@param cgroup Cgroup
function Sim:create_child(cache, cgroup) end
---@param name string
---@return Event
function Sim:event(name) end
--- The task of that name.
---@param name string
---@return Task
function Sim:task(name) end
--- In setup only: a task that starts at once.
---@param name string
---@param options TaskOptions
---@param fn TaskFunction
---@return Task
function Sim:spawn(name, options, fn) end
--- In setup only.
---@param text string
function Sim:log(text) end

---@param name string
---@param value? CellValue
---@return Cell
function Sim:cell(name, value) end
---@param name string
---@param n? integer how many references there are at first, 1 unless it is said
---@return Refcount
function Sim:refcount(name, n) end
---@param name string
---@return Lock
function Sim:mutex(name) end
---@param name string
---@param options? { irqsafe?: boolean }
---@return Lock
function Sim:spinlock(name, options) end
---@param name string
---@return Rwsem
function Sim:rwsem(name) end
---@param name string
---@return Waitqueue
function Sim:waitqueue(name) end
---@param name string
---@return Completion
function Sim:completion(name) end
---@param name string
---@param fn TaskFunction
---@return Work
function Sim:work(name, fn) end
---@param name string
---@param options? { unbound?: boolean, ordered?: boolean, max_active?: integer }
---@return Workqueue
function Sim:workqueue(name, options) end
---@param name string
---@param release? TaskFunction
---@return PercpuRef
function Sim:percpu_ref(name, release) end

---@class ScenarioTask

--- docs/testing.md describes it. Exactly one of never, sometimes, always, finds, replay, golden.
---@class Expectation
---@field [1] string the lifecycle
---@field never? string|string[] checkers, "*" for all
---@field sometimes? string|string[]
---@field always? string|string[]
---@field finds? string|string[]
---@field replay? string a schedule file beside the scenario
---@field race? string replay: the file with its race table
---@field keeps? string finds, explore: what was found is in NAME.sched and NAME.race.txt
---@field golden? string a trace file beside the scenario
---@field variant? string|string[]
---@field set? table<string, any>
---@field order? "timed"|"ties"|"random"
---@field seed? integer
---@field runs? integer
---@field explore? Exploration
---@field skip? string why it is not run

---@class Exploration
---@field strategy? "auto"|"random"|"pct"|"bounded"|"dpor"|"exhaustive"
---@field runs? integer
---@field max_time? number seconds
---@field preemptions? integer
---@field depth? integer

---@class StudySeries
---@field [1] string its name
---@field lifecycle? string default: the scenario's
---@field variant? string|string[]
---@field set? table<string, any>

---@class StudyAxis
---@field set? string a parameter, which takes the values
---@field values? number[]
---@field every? integer ns between two samples of a run
---@field to? integer ns
---@field unit? string

---@class StudyMeasure
---@field gauge? string
---@field count? string an event
---@field at? string an event
---@field hold? string a lock
---@field wait? string a lock
---@field op? string an operation of a task
---@field measured? string as in t:measure(name, value)
---@field elapsed? true
---@field value? "last"|"sum"|"max"|"mean"|"count"
---@field text? string only events with this text
---@field during? string only inside this operation

---@class StudyMetric: StudyMeasure
---@field [1] string its name
---@field unit? string
---@field per? StudyMeasure what it is divided by
---@field scale? number

---@class StudyInterval
---@field mean number
---@field low number
---@field high number
---@field r2? number of a slope

---@class StudyResults
---@field series string[]
---@field x number[]
local StudyResults = {}
---@param metric string
---@param series string
---@param x? number default: the last one
---@return number
function StudyResults:mean(metric, series, x) end
---@param metric string
---@param series string
---@param x? number
---@return number low
---@return number high
function StudyResults:interval(metric, series, x) end
---@param metric string
---@param series string
---@param other string|number a series or a number
---@param x? number
---@return boolean
function StudyResults:below(metric, series, other, x) end
---@param metric string
---@param series string
---@param other string|number
---@param x? number
---@return boolean
function StudyResults:above(metric, series, other, x) end
--- Between runs with the same seed.
---@param metric string
---@param series string
---@param other string
---@param x? number
---@return StudyInterval
function StudyResults:difference(metric, series, other, x) end
---@param metric string
---@param series string
---@param from? number
---@param to? number
---@return StudyInterval
function StudyResults:slope(metric, series, from, to) end

---@class Study
---@field title string
---@field series (string|StudySeries)[]
---@field x? StudyAxis
---@field metrics StudyMetric[]
---@field claims any[][] { "what is claimed", function(r) return holds, figures end }
---@field replications? integer default 5

---@alias IteratorName ""|"css-id"|"pinned"|"pinned-cleanup"|"global-count"
---| "dead-count"|"pinned-cmpxchg"|"weak"|"weak-retry"
---@class ReclaimOptions
---@field iterator? IteratorName
---@field hierarchy? boolean default true
---@field nodes? integer
---@field zones? integer
---@field offline_at_rmdir? boolean

---@class Scenario
---@field like? any another scenario: what is left out here is as there, but for expect
---@field doc? string
---@field upstream? string commit that the scenario is about
---@field lifecycle? string default "v5.3"
---@field variants? string[] "NAME" on, "-NAME" off, "none" all off
---@field cpus? integer|fun(opt: table): integer 1 to 64; default 2, in a model one per task
---@field preempt? "none"|"voluntary"|"full" default "full"
---@field costs? table<string, integer|integer[]> ns, or { ns, jitter in percent }
---@field reclaim? boolean|ReclaimOptions|fun(opt: table): boolean|ReclaimOptions default false
---@field faults? integer allocations that may fail once set-up is over; default 0
---@field perf_event? boolean|fun(opt: table): boolean a second controller; default false
---@field statistics? boolean memory.stat is counted; default false
---@field options? table<string, any[]> { default, "what it is", least = N }; --set NAME=VALUE
---@field setup? fun(sim: Sim, opt: table<string, any>, t: Task)
---@field tasks? ScenarioTask[]|fun(sim: Sim, opt: table<string, any>): ScenarioTask[]
---@field expect? Expectation[]
---@field study? Study for `slabsim study`; see docs/studies.md
---@field ordering? string a race table that `slabsim run` follows; see docs/race-tables.md
---@field orders? string[][]

---@param spec Scenario
function scenario(spec) end

--- A scenario whose tasks are kernel code, each on a CPU of its own.
---@param spec Scenario
function model(spec) end

---@param name string
---@param options TaskOptions
---@param fn TaskFunction
---@return ScenarioTask
---@overload fun(name: string, fn: TaskFunction): ScenarioTask
function task(name, options, fn) end

---Tasks that can be exchanged: `n` copies of those that `make` returns. What `make` creates (cells,
---locks) is the copy's own, and nobody else may touch it; `exhaustive` then takes states for one in
---which copies have only changed places.
---@param n integer
---@param make fun(sim: Sim, opt: table): ScenarioTask[]
---@return ScenarioCopies
function copies(n, make) end

---@param x number
---@return integer ns
function ns(x) end
---@param x number
---@return integer ns
function us(x) end
---@param x number
---@return integer ns
function ms(x) end
---@param x number
---@return integer ns
function s(x) end
