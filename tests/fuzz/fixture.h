/* An app on the store in memory, with a key of ours for its providers: for the targets. */
#ifndef PINTLE_FUZZ_FIXTURE_H
#define PINTLE_FUZZ_FIXTURE_H

#include "app.h"
#include "token_maker.h"

#define FIXTURE_NOW 1795350100
#define FIXTURE_KID "k"
#define FIXTURE_AUDIENCE "7d1c2b3a-0000-4000-8000-0123456789ab"

/* Made at the first call, and ended with the program. */
struct app *fixture_app(void);

/* Others of each session mode, and some settings beside; state_dir is the first one's. */
struct app *fixture_app_in_mode(unsigned mode);
#define FIXTURE_MODES 8

const struct maker_key *fixture_key(void);

/* A token as Cotter makes them; one of ISSUER, made at NOW for an hour, with a number. */
struct text fixture_token(struct arena *a);
struct text fixture_token_of(struct arena *a, const char *issuer, const char *email,
			     int64_t now, unsigned number);

/* HEADER.PAYLOAD with a good ES256 signature. */
struct text fixture_sign(struct arena *a, struct text header, struct text payload);
#define FIXTURE_HEADER "{\"alg\":\"ES256\",\"kid\":\"" FIXTURE_KID "\"}"

#endif
