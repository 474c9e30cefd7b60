offline_vs_alloc: FAIL progress of kmemcg_workfn at event 347; 294 events, 154 steps; v5.3, seed 1
variants on: workfn-clobber

==================================================================
BUG: slabsim: progress in kmemcg_workfn   [simulated]
work item with a NULL function: work:9 of cache:2, work_fn

CPU: 1 Task: 6 Comm: kworker/1:0 Context: kworker
Scenario: offline_vs_alloc lifecycle v5.3 seed 1 event 347 t=246 steps
At: work item calls a NULL function (work_fn)
Call Trace:
 kmemcg_workfn
 process_one_work
 worker_thread

How it came to this, latest first:
 queue_work memcg_kmem_cache: kmemcg_workfn(dentry(2:box))
  by softirq on cpu 1 at 227 steps (event 319)
 call_rcu percpu_ref_switch_to_atomic_rcu(dentry(2:box)), gp 3
  by kworker/1:0 on cpu 1 at 204 steps (event 291)
 queue_work memcg_kmem_cache: kmemcg_workfn(dentry(2:box))
  by softirq on cpu 1 at 187 steps (event 269)
 call_rcu kmemcg_rcufn(dentry(2:box)), gp 2
  by kworker/1:0 on cpu 1 at 151 steps (event 225)

Replay: slabsim replay offline_vs_alloc.sched
==================================================================

     step  CPU0                         CPU1
     ----  ----                         ----
           [setup]
        2    memcg / online, kmemcg_id -1
        3    mkdir /
       19        memcg /box online, kmemcg_id 0
       22      mkdir /box
       30    create dentry
       39    create_child dentry
       41      setup joins /box
       50          queue_work memcg_kmem_cache: memcg_kmem_cache_create_func(dentry)
       50        memcg_kmem_get_cache dentry: dentry
       55          new slab:1 for dentry, 21 objects
       56          kmem_cache_alloc dentry: obj:1
       57      kmem_cache_free dentry: obj:1
       58      flush_workqueue memcg_kmem_cache, 1 items
           [kworker/0:0]
       62    work memcg_kmem_cache_create_func(dentry)
       68        create dentry(2:box)
       76      dentry slot 0 = dentry(2:box)
           [setup]
       82      flush_workqueue memcg_kmem_cache done
       84      setup joins /
       88    allocator joins /box
       90    spawn admin
                                        [admin]
       97                                 allocator joins /
       99                                 rmdir /box
      107                                       percpu_ref_kill memcg /box
      108                                       call_rcu percpu_ref_switch_to_atomic_rcu(memcg
                                                    /box), gp 1
      115                                     percpu_ref_kill /box
      116                                     call_rcu percpu_ref_switch_to_atomic_rcu(/box), gp 1
      119                                   rmdir /box
      123  -- grace period 1 starts
      124  -- grace period 1 ends
                                        <softirq>
      128                                 callback percpu_ref_switch_to_atomic_rcu(memcg /box)
      129                                   ref of memcg /box is atomic: 4
      129                                     memcg /box killed
      131                                       queue_work cgroup_destroy: css_killed_work_fn(memcg
                                                    /box)
      134                                 callback percpu_ref_switch_to_atomic_rcu(/box)
      135                                   ref of /box is atomic: 2
                                        [kworker/1:0]
      140                                 work css_killed_work_fn(memcg /box)
      141                                   mem_cgroup_css_offline memcg /box
      151                                       call_rcu kmemcg_rcufn(dentry(2:box)), gp 2
      152  -- grace period 2 starts, 1 CPUs
      153                                       deactivate dentry(2:box), deferred
      154                                       dentry slot 0 = NULL
      155                                       reparent dentry(2:box) to memcg /
      164                                     kmemcg_id 0 free again
      171                                   memcg /box offline
      174                                   last reference of memcg /box is gone
      175                                       queue_work cgroup_destroy: css_release_work_fn(memcg
                                                    /box)
      178                                 work css_release_work_fn(memcg /box)
      179                                   css_released memcg /box
      182                                     call_rcu rcu_work_rcufn(memcg /box), gp 3
      183  -- grace period 2 ends
                                        <softirq>
      186                                 callback kmemcg_rcufn(dentry(2:box))
      187                                   queue_work memcg_kmem_cache:
                                                kmemcg_workfn(dentry(2:box))
                                        [kworker/1:0]
      191                                 work kmemcg_workfn(dentry(2:box))
      200                                   shrink dentry(2:box), 0 slabs stay
      202                                     queue_work events:
                                                  sysfs_slab_remove_workfn(dentry(2:box))
      203                                   percpu_ref_kill dentry(2:box)
      204                                   call_rcu percpu_ref_switch_to_atomic_rcu(dentry(2:box)),
                                                gp 3
           [allocator]
      212    kmem_cache_alloc dentry: obj:2
      213    sleep
      214  -- grace period 3 starts
      215  -- grace period 3 ends
                                        <softirq>
      218                                 callback rcu_work_rcufn(memcg /box)
      219                                   queue_work cgroup_destroy: css_free_rwork_fn(memcg /box)
      220                                 callback percpu_ref_switch_to_atomic_rcu(dentry(2:box))
      221                                   ref of dentry(2:box) is atomic: 1
      223                                     last reference of dentry(2:box) is gone
      225                                       WARNING: WARN_ON(s->memcg_params.work_fn) (0)
      227                                       queue_work memcg_kmem_cache:
                                                    kmemcg_workfn(dentry(2:box))
                                        [kworker/1:0]
      233                                 work sysfs_slab_remove_workfn(dentry(2:box))
      236                                 work css_free_rwork_fn(memcg /box)
      238                                   free memcg /box
      240                                     last reference of /box is gone
      241                                       queue_work cgroup_destroy: css_release_work_fn(/box)
      242                                 work kmemcg_workfn(dentry(2:box))
      246                                   work item calls a NULL function (work_fn)
           *** progress: work item with a NULL function: work:9 of cache:2, work_fn

Lives (steps)
  memcg                          created      online     offline      killed    released       freed
  memcg /                              2           2           -           -           -           -
  memcg /box                           8          19         141         107         179         238
  cache                          created      active deactivated      killed   shut down       freed
  dentry                              30           -           -           -           -           -
  dentry(2:box)                       68          76         153         203           -           -

References at the end
  none
  and the base references of 1 objects that live

Counters (_ is 0, .:=# are quarters of the peak)
                            0                                    154      peak      last
  live kmem_caches          _______::::::::::#######################         2         2
  dying memcgs              ___________________________#############         1         0
  slab pages                ______________##########################         1         1
  RCU callbacks pending     ____________________________::####:____:         2         0
  work items pending        ____________:::::_________________:::___         3         1
  3 grace periods ended

offline_vs_alloc: FAIL progress of kmemcg_workfn at event 347; 294 events, 154 steps; v5.3, seed 1
