// What a thread knows of the query that it works on, in a form that a loop can ask in a nanosecond,
// and the few calls of the C library that Swift does not see.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Where the reason to stop is written; NULL on a thread that works on no query.
extern __thread const int32_t *vestige_stop_place;
/// The query that the thread works on; NULL for none.
extern __thread void *vestige_run_place;
/// Whether the thread has the large stack that deep trees need.
extern __thread int vestige_has_deep_stack;

/// Why the query of this thread must stop; 0 while it may go on.
static inline int32_t vestige_stop_reason(void) {
    const int32_t *place = vestige_stop_place;
    return place ? __atomic_load_n(place, __ATOMIC_RELAXED) : 0;
}

static inline const int32_t *vestige_get_stop(void) { return vestige_stop_place; }
static inline void vestige_set_stop(const int32_t *place) { vestige_stop_place = place; }
static inline void *vestige_get_run(void) { return vestige_run_place; }
static inline void vestige_set_run(void *run) { vestige_run_place = run; }
static inline int vestige_is_deep(void) { return vestige_has_deep_stack; }
static inline void vestige_set_deep(int is_deep) { vestige_has_deep_stack = is_deep; }

/// Sets the reason once: the first one stays. Returns whether it was set now.
int vestige_stop_once(int32_t *place, int32_t reason);
/// The reason to stop at `place`.
int32_t vestige_stop_load(const int32_t *place);

/// Gives memory that was freed back to the system.
void vestige_trim_memory(void);

/// Makes the calling thread give way to those of newer queries; `level` from 0 to 19. It cannot be taken back.
void vestige_give_way(int level);
/// The calling thread's number, for `vestige_give_way_of`.
int vestige_thread_number(void);
void vestige_give_way_of(int thread, int level);

/// Whether the calling thread was made to give way.
int vestige_gives_way(void);

/// From now on the number of a signal that ends the program by a fault is written to `mark` first.
void vestige_mark_faults(volatile int32_t *mark);
/// Gives the calling thread a stack of its own for the handler of faults, so that a full stack can be told too.
void vestige_prepare_fault_stack(void);
/// From now on SIGTERM and SIGINT end the program at once with code 0: for the time before there is work to finish.
void vestige_leave_on_signals(void);

#ifdef __cplusplus
}
#endif
