#include <ctype.h>
#include <regex.h>

#include "email.h"
#include "fuzz.h"

#define ATEXT "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
#define LABEL "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"

/* The rules a second time, as a regular expression. */
static bool matches(regex_t *compiled, const char *pattern, struct arena *a,
		    struct text t)
{
	if (memchr(t.data, '\0', t.len))
		return false;
	if (!compiled->re_nsub)
		REQUIRE(regcomp(compiled, pattern, REG_EXTENDED) == 0);
	return regexec(compiled, arena_copy(a, t).data, 0, NULL, 0) == 0;
}

static bool is_address(struct arena *a, struct text t)
{
	static regex_t compiled;
	const char *at = memchr(t.data, '@', t.len);

	return t.len <= 254 && at && at - t.data <= 64 &&
	       matches(&compiled, "^" ATEXT "(\\." ATEXT ")*@" LABEL "(\\." LABEL ")+$",
		       a, t);
}

static bool is_phone(struct arena *a, struct text t)
{
	static regex_t compiled;

	return matches(&compiled, "^(\\+)[1-9][0-9]{6,14}$", a, t);
}

void fuzz_email(struct arena *a, struct text input)
{
	struct problem p = { 0 };
	struct text email = { 0 }, again, upper = { 0 };
	const bool taken = email_normalise(a, input, &email, &p);
	char *shout;

	REQUIRE(taken == is_address(a, input));
	REQUIRE(phone_is_valid(input) == is_phone(a, input));
	if (!taken) {
		REQUIRE(p.kind == PROBLEM_EMAIL_REFUSED && !email.data);
		/* The log is kept longer than the account. */
		REQUIRE(input.len < 8 ||
			!memmem(p.detail, strlen(p.detail), input.data, input.len));
		return;
	}
	fuzz_through++;
	REQUIRE(!phone_is_valid(input));
	REQUIRE(email_normalise(a, email, &again, &p) && text_equal(email, again));
	REQUIRE(text_equal_nocase(email, input));
	shout = arena_alloc(a, input.len + 1);
	for (size_t i = 0; i < input.len; i++) {
		REQUIRE((unsigned char)email.data[i] < 128 &&
			!isupper((unsigned char)email.data[i]));
		shout[i] = (char)toupper((unsigned char)input.data[i]);
	}
	REQUIRE(email_normalise(a, (struct text){ shout, input.len }, &upper, &p));
	REQUIRE(text_equal(upper, email));
	REQUIRE(email_domain(email).len >= 3);
}
