/*
 * What scripts/bench needs of keys and tokens, and the unit that it measures in.
 *
 *   bench_tokens DIR COUNT USERS...   makes a key; writes into DIR keys.json (a key set),
 *                                     key.pem, public.pem, and files of COUNT tokens, one a
 *                                     line: returning-USERS, new, forged, expired, and those
 *                                     of the eighth of eight issuers, eighth
 *   bench_tokens --verify N           prints the microseconds of CPU for one ES256 check with
 *                                     a parsed key: V
 *
 * User number N is user0000000N@example.org, as the SQL of scripts/bench makes them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "buffer.h"
#include "jwk.h"
#include "token_maker.h"

#define KID "SPACE_JWT_PUBLIC:8028AAA3-EC2D-4BAA-BE7A-7C8359CCB9F9"
#define AUDIENCE "5a0f1a1e-7c2d-4b52-8ac2-36ffbd3e1d5f"
#define COTTER "https://www.cotter.app"
#define DAY_S 86400

static struct arena *arena;
static struct maker_key *key, *stranger;
static const char *directory;
static long now;

static void write_file(const char *name, const char *text)
{
	FILE *f = fopen(arena_printf(arena, "%s/%s", directory, name).data, "we");

	if (!f || fputs(text, f) < 0 || fclose(f)) {
		perror(name);
		exit(1);
	}
}

static struct text make_token(const char *email, long user, long issued,
			      const char *issuer, const struct maker_key *signer)
{
	return maker_token(
		arena, signer, JWS_ES256,
		AS_TEXT("{\"alg\":\"ES256\",\"kid\":\"" KID "\",\"typ\":\"JWT\"}"),
		arena_printf(
			arena,
			"{\"client_user_id\":\"11111111-1111-4111-8111-%012ld\","
			"\"authentication_method\":\"OTP\",\"type\":"
			"\"client_access_token\",\"scope\":\"access\",\"identifier\":"
			"\"%s\",\"aud\":\"" AUDIENCE "\",\"exp\":%ld,\"jti\":"
			"\"22222222-2222-4222-8222-%012ld\",\"iat\":%ld,\"iss\":\"%s\","
			"\"sub\":\"11111111-1111-4111-8111-%012ld\"}",
			user, email, issued + DAY_S, user, issued, issuer, user));
}

/* COUNT tokens of random ones of USERS; 0: of users that are not there yet. */
static void write_tokens(const char *name, long count, long users, long issued,
			 const char *issuer, const struct maker_key *signer)
{
	FILE *f = fopen(arena_printf(arena, "%s/%s", directory, name).data, "we");

	if (!f) {
		perror(name);
		exit(1);
	}
	for (long i = 0; i < count; i++) {
		const long user = users ? 1 + random() % users : 100000000 + i;
		const char *email = arena_printf(arena, "%s%08ld@example.org",
						 users ? "user" : "new", user)
					    .data;

		fprintf(f, "%s\n", make_token(email, user, issued, issuer, signer).data);
		if (i % 100 == 99)
			arena_reset(arena);
	}
	if (fclose(f)) {
		perror(name);
		exit(1);
	}
}

static int make_all(int argc, char **argv)
{
	const long count = atol(argv[2]);

	directory = argv[1];
	write_file(
		"keys.json",
		maker_jwk_set(arena, maker_jwk(arena, key, "\"kid\":\"" KID "\""), NULL));
	write_file("key.pem", maker_pem_private(arena, key));
	write_file("public.pem", maker_pem_public(arena, key));
	for (int i = 3; i < argc; i++) {
		char name[64];

		snprintf(name, sizeof(name), "returning-%s", argv[i]);
		write_tokens(name, count, atol(argv[i]), now, COTTER, key);
	}
	write_tokens("new", 8 * count, 0, now, COTTER, key);
	write_tokens("forged", count, 1000, now, COTTER, stranger);
	write_tokens("expired", count, 1000, now - 3 * DAY_S, COTTER, key);
	write_tokens("eighth", count, atol(argv[3]), now, "https://issuer8.example", key);
	return 0;
}

static double cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int measure(long count)
{
	struct text token = make_token("user00000001@example.org", 1, now, COTTER, key);
	const struct text kid = AS_TEXT(KID);
	struct problem p = { 0 };
	struct text rest, signature;
	struct jwk_set set;
	const struct jwk *jwk;
	double began;
	bool good;

	good = jwk_set_parse(
		arena,
		text_of(maker_jwk_set(arena, maker_jwk(arena, key, "\"kid\":\"" KID "\""),
				      NULL)),
		&set, &p);
	jwk = good ? jwk_find(&set, &kid, JWS_ES256) : NULL;
	if (!jwk)
		return 1;
	text_before(token, '.', &rest);
	text_before(rest, '.', &signature);
	token.len = (size_t)(signature.data - token.data) - 1;
	signature = maker_unbase64url(arena, signature);
	good = jws_verify(jwk->key, JWS_ES256, token, signature); /* sets it up */
	began = cpu_us();
	for (long i = 0; i < count; i++)
		good = jws_verify(jwk->key, JWS_ES256, token, signature) && good;
	printf("%.2f\n", (cpu_us() - began) / (double)count);
	jwk_set_close(&set);
	return good ? 0 : 1;
}

int main(int argc, char **argv)
{
	int status;

	if (argc < 3 || (argc == 3 && strcmp(argv[1], "--verify") != 0)) {
		fputs("usage: bench_tokens DIR COUNT USERS... | --verify N\n", stderr);
		return 2;
	}
	arena = arena_new();
	key = maker_key_new("P-256");
	stranger = maker_key_new("P-256");
	now = (long)time(NULL);
	srandom(1);
	status = argc == 3 ? measure(atol(argv[2])) : make_all(argc, argv);
	maker_key_free(key);
	maker_key_free(stranger);
	arena_free(arena);
	return status;
}
