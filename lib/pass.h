/*
 * How pintlectl doctor shows a running Pintle who it is: a secret in a file of state_dir,
 * which only those two can read, for a minute, and for as long as doctor runs.
 */
#ifndef PINTLE_PASS_H
#define PINTLE_PASS_H

#include "problem.h"
#include "secret.h"

#define PASS_LIFE_S 60

/* Makes the file; OUT gets the secret. The one that was there before is void. */
bool pass_open(const char *state_dir, char out[SECRET_TEXT_LEN + 1], struct problem *p)
	__attribute__((warn_unused_result));
void pass_close(const char *state_dir);

/* Is WRITTEN the secret that is in the file, at NOW? The file holds only its hash. */
bool pass_is_valid(const char *state_dir, struct text written, int64_t now);

#endif
