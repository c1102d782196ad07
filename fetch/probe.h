/*
 * For pintlectl doctor, which does not go out itself: one HTTP request as a JSON object on
 * stdin, what became of it as one on stdout.
 */
#ifndef PINTLE_PROBE_H
#define PINTLE_PROBE_H

/* Returns the exit status: 0 also when the answer is bad news, 64 for a bad request. */
int probe_run(void);

#endif
