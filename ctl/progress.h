/*
 * A line on a terminal's stderr for as long as something takes longer than a second: what it
 * is, for how long, how many are done. Where stderr is no terminal there is none.
 */
#ifndef PINTLE_PROGRESS_H
#define PINTLE_PROGRESS_H

#include <stdint.h>

struct progress;

/* WHAT, such as "erasing the user", must outlive it. */
struct progress *progress_new(const char *what);
void progress_set(struct progress *progress, uint64_t done);
/* Takes the line away again. */
void progress_free(struct progress *progress);

#endif
