/*
 * Fuzz targets: each is given bytes of any kind, and says what must hold of what becomes of
 * them. The same functions are fuzzed by libFuzzer (make fuzz) and fed with what once failed
 * and with seeds by make check (replay.c), with any compiler.
 */
#ifndef PINTLE_FUZZ_H
#define PINTLE_FUZZ_H

#include <stdio.h>
#include <stdlib.h>

#include "arena.h"

/* For the request's life; wiped after each input. */
struct fuzz_target {
	const char *name;
	void (*run)(struct arena *a, struct text input);
};

/* Ends with an entry without a name. */
extern const struct fuzz_target fuzz_targets[];

/* An arena for what lives as long as the program: keys, configurations. */
struct arena *fuzz_forever(void);

void fuzz_base64url(struct arena *a, struct text input);
void fuzz_claims(struct arena *a, struct text input);
void fuzz_config(struct arena *a, struct text input);
void fuzz_cookie(struct arena *a, struct text input);
void fuzz_email(struct arena *a, struct text input);
void fuzz_freshness(struct arena *a, struct text input);
void fuzz_identity(struct arena *a, struct text input);
void fuzz_form(struct arena *a, struct text input);
void fuzz_json(struct arena *a, struct text input);
void fuzz_jwks(struct arena *a, struct text input);
void fuzz_record(struct arena *a, struct text input);
void fuzz_request(struct arena *a, struct text input);
void fuzz_story(struct arena *a, struct text input);
void fuzz_token(struct arena *a, struct text input);
void fuzz_token_signed(struct arena *a, struct text input);
void fuzz_query(struct arena *a, struct text input);
void fuzz_text(struct arena *a, struct text input);
void fuzz_log(struct arena *a, struct text input);
void fuzz_jws(struct arena *a, struct text input);
void fuzz_state(struct arena *a, struct text input);
void fuzz_whole(struct arena *a, struct text input);

/* Counts the inputs that got through: a target whose seeds never do tests little. */
extern unsigned long fuzz_through;

/* What must hold of every input. */
#define REQUIRE(condition)                                                               \
	do {                                                                             \
		if (!(condition)) {                                                      \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__,          \
				__LINE__, #condition);                                   \
			abort();                                                         \
		}                                                                        \
	} while (0)

#endif
