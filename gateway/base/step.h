/*
 * step: named points of the flow at which a test may end the process.
 *
 * In what is shipped a step is nothing, and its name is not in the program (a test looks). Only
 * the variant build/torture, made with SG_STEPS, links tests/torture/step.c, which dies or stops at
 * the step that the test has armed. No errors, no allocation, any thread.
 */
#ifndef SG_BASE_STEP_H
#define SG_BASE_STEP_H

#ifdef SG_STEPS
/* Does what the test asked for at this step, if anything. */
void step_reached(const char *name);
#define STEP(name) step_reached("step:" name)
#else
#define STEP(name) ((void)0)
#endif

#endif
