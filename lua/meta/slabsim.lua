-- SPDX-License-Identifier: GPL-2.0-only
--
-- Annotations for editors (LuaLS): what scenarios can use.  Never loaded by slabsim.
-- Add to .luarc.json:  "workspace.library": ["lua/meta"]

---@meta

---@class Handle
---@field name string|nil
---@field id integer

---@class Cgroup: Handle
---@class Cache: Handle
---@class Object: Handle
---@class Event: Handle

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
function Task:uncharge(cgroup, pages) end
---@param cgroup Cgroup
---@param pages integer
---@param counter? "memory"|"kmem"
---@return boolean ok
---@return string|nil error
function Task:set_max(cgroup, pages, counter) end

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
function Task:synchronize_rcu() end
function Task:rcu_barrier() end
--- Block until the event was signalled; it stays signalled.
---@param event Event
function Task:wait(event) end
---@param event Event
function Task:signal(event) end
---@param name string
---@param options TaskOptions
---@param fn TaskFunction
---@return Task
---@overload fun(self: Task, name: string, fn: TaskFunction): Task
function Task:spawn(name, options, fn) end
---@param task Task
function Task:join(task) end

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

---@class ScenarioTask

---@class Scenario
---@field doc? string
---@field upstream? string commit that the scenario is about
---@field lifecycle? string default "v5.3"
---@field variants? string[] "NAME" on, "-NAME" off, "none" all off
---@field cpus? integer 1 to 64; default 2
---@field preempt? "none"|"voluntary"|"full" default "full"
---@field costs? table<string, integer|integer[]> ns, or { ns, jitter in percent }
---@field faults? integer allocations that may fail once set-up is over; default 0
---@field options? table<string, any[]> { default, "what it is" }; --set NAME=VALUE
---@field setup? fun(sim: Sim, opt: table<string, any>, t: Task)
---@field tasks? ScenarioTask[]|fun(sim: Sim, opt: table<string, any>): ScenarioTask[]
---@field expect? string[][] { lifecycle, checker, "never"|"sometimes"|"always" }
---@field orders? string[][]

---@param spec Scenario
function scenario(spec) end

---@param name string
---@param options TaskOptions
---@param fn TaskFunction
---@return ScenarioTask
---@overload fun(name: string, fn: TaskFunction): ScenarioTask
function task(name, options, fn) end

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
