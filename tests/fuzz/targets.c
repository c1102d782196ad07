#include "fuzz.h"

unsigned long fuzz_through;

const struct fuzz_target fuzz_targets[] = {
	{ "base64url", fuzz_base64url },
	{ "json", fuzz_json },
	{ "claims", fuzz_claims },
	{ "token", fuzz_token },
	{ "token_signed", fuzz_token_signed },
	{ "jwks", fuzz_jwks },
	{ "record", fuzz_record },
	{ "freshness", fuzz_freshness },
	{ "cookie", fuzz_cookie },
	{ "request", fuzz_request },
	{ "form", fuzz_form },
	{ "email", fuzz_email },
	{ "config", fuzz_config },
	{ "query", fuzz_query },
	{ "text", fuzz_text },
	{ "log", fuzz_log },
	{ "jws", fuzz_jws },
	{ "state", fuzz_state },
	{ "identity", fuzz_identity },
	{ "whole", fuzz_whole },
	{ "story", fuzz_story },
	{ NULL, NULL },
};

struct arena *fuzz_forever(void)
{
	static struct arena *arena;

	if (!arena)
		arena = arena_new();
	return arena;
}
