// What a bare Cortex-M needs around an exported network: vectors, memory, a clock and a way to say something.
#include <stdint.h>

#include "policy.h"

extern const policy_number samples[][policy_inputs + 1];
extern const int steps;
extern unsigned int stack_top, data_from, data_start, data_end, zero_start, zero_end;

#define SYSTICK ((volatile uint32_t *)0xE000E010)
enum { FULL = 0xFFFFFF };

void reset(void);
void fault(void);
static policy_state state;
static uint32_t outputs[STEPS * policy_outputs];

__attribute__((section(".vectors"), used)) static const void *const vectors[16] = {
    &stack_top, (const void *)reset, (const void *)fault, (const void *)fault,
};

static int host(int what, const void *given) {  // semihosting, which QEMU answers
    register int r0 __asm__("r0") = what;
    register const void *r1 __asm__("r1") = given;
    __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

static void say(uint32_t value) {
    char text[10];
    for (int k = 0; k < 8; k++) text[k] = "0123456789abcdef"[value >> (28 - 4 * k) & 15];
    text[8] = '\n';
    text[9] = 0;
    host(0x04, text);
}

static void leave(void) {
    host(0x18, (const void *)0x20026);
    for (;;) {}
}

void fault(void) {
    host(0x04, "fault\n");
    leave();
}

// A loop of known length: two instructions a turn.
static void wait(int turns) {
    __asm__ volatile("1: subs %0, #1\n bne 1b" : "+l"(turns)::"cc");
}

void reset(void) {
    for (unsigned int *from = &data_from, *to = &data_start; to < &data_end;) *to++ = *from++;
    for (unsigned int *to = &zero_start; to < &zero_end;) *to++ = 0;
#ifdef __ARM_FP
    *(volatile uint32_t *)0xE000ED88 |= 0xFu << 20;  // let the unit for floats work
    __asm__ volatile("dsb\n isb");
#endif
    SYSTICK[1] = FULL;
    SYSTICK[2] = 0;
    SYSTICK[0] = 5;
    const uint32_t begun = SYSTICK[2];
    wait(500000);
    const uint32_t waited = (begun - SYSTICK[2]) & FULL;
    policy_reset(&state);
    uint32_t most = 0, total = 0;
    for (int step = 0; step < STEPS; step++) {
        policy_number found[policy_outputs];
        SYSTICK[2] = 0;
        const uint32_t before = SYSTICK[2];
        policy_step(&state, samples[step], (float)samples[step][policy_inputs], found);
        const uint32_t taken = (before - SYSTICK[2]) & FULL;
        total += taken;
        if (taken > most) most = taken;
        for (int j = 0; j < policy_outputs; j++) {
            union { float number; uint32_t bits; } both = {(float)found[j]};
            outputs[step * policy_outputs + j] = both.bits;
        }
    }
    say(waited);
    say(total);
    say(most);
    say(sizeof(policy_state));
    for (int k = 0; k < STEPS * policy_outputs; k++) say(outputs[k]);
    leave();
}
