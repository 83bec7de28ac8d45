#define _GNU_SOURCE
#include "CQueryGuard.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>
#if defined(__GLIBC__)
#include <malloc.h>
#endif
#if defined(__linux__)
#include <sys/syscall.h>
#endif

__thread const int32_t *vestige_stop_place;
__thread void *vestige_run_place;
__thread int vestige_has_deep_stack;

int vestige_stop_once(int32_t *place, int32_t reason) {
    int32_t none = 0;
    return __atomic_compare_exchange_n(place, &none, reason, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

int32_t vestige_stop_load(const int32_t *place) { return __atomic_load_n(place, __ATOMIC_ACQUIRE); }

void vestige_trim_memory(void) {
#if defined(__GLIBC__)
    malloc_trim(0);
#endif
}

int vestige_thread_number(void) {
#if defined(__linux__)
    return (int)syscall(SYS_gettid);
#else
    return 0;
#endif
}

void vestige_give_way_of(int thread, int level) {
#if defined(__linux__)
    // On Linux the number of a thread stands for that thread alone.
    if (thread > 0) setpriority(PRIO_PROCESS, (id_t)thread, level);
#endif
}

void vestige_give_way(int level) { vestige_give_way_of(vestige_thread_number(), level); }

int vestige_gives_way(void) {
#if defined(__linux__)
    return getpriority(PRIO_PROCESS, (id_t)vestige_thread_number()) > getpriority(PRIO_PROCESS, (id_t)getpid());
#else
    return 0;
#endif
}

static volatile int32_t *fault_mark;

static void on_fault(int number) {
    if (fault_mark) *fault_mark = number;
    // SA_RESETHAND put the default back: the signal does now what it always did.
    raise(number);
}

void vestige_mark_faults(volatile int32_t *mark) {
    fault_mark = mark;
    const int numbers[] = {SIGILL, SIGSEGV, SIGBUS, SIGABRT, SIGTRAP, SIGFPE};
    struct sigaction action = {0};
    action.sa_handler = on_fault;
    action.sa_flags = SA_ONSTACK | SA_RESETHAND | SA_NODEFER;
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) sigaction(numbers[i], &action, NULL);
    vestige_prepare_fault_stack();
}

void vestige_prepare_fault_stack(void) {
    stack_t now;
    if (sigaltstack(NULL, &now) == 0 && !(now.ss_flags & SS_DISABLE)) return;
    stack_t stack = {0};
    stack.ss_size = 64 << 10;
    // Held until the thread ends with the program.
    stack.ss_sp = malloc(stack.ss_size);
    if (stack.ss_sp) sigaltstack(&stack, NULL);
}

static void leave(int number) {
    (void)number;
    _exit(0);
}

void vestige_leave_on_signals(void) {
    struct sigaction action = {0};
    action.sa_handler = leave;
    sigemptyset(&action.sa_mask);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
}
