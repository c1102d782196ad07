#include "email.h"

#define LOCAL_MAX 64 /* RFC 5321, 4.5.3.1.1 */
#define LABEL_MAX 63 /* RFC 1035, 2.3.4 */

/*
 * Not ctype.h, which asks the locale: where a byte above 127 can be a letter, one
 * person's address turns into another's.
 */
static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_alnum(char c)
{
	return is_digit(c) || is_upper(c) || (c >= 'a' && c <= 'z');
}

static bool is_atext(char c)
{
	return is_alnum(c) || (c && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

/* Parts with one dot between each two, none of them empty. */
static bool is_dotted(struct text t, bool (*is_part)(struct text part))
{
	struct text part;

	if (!t.len || t.data[t.len - 1] == '.')
		return false;
	while (t.len) {
		part = text_before(t, '.', &t);
		if (!part.len || !is_part(part))
			return false;
	}
	return true;
}

static bool is_atom(struct text part)
{
	for (size_t i = 0; i < part.len; i++)
		if (!is_atext(part.data[i]))
			return false;
	return true;
}

static bool is_label(struct text part)
{
	if (part.len > LABEL_MAX || part.data[0] == '-' || part.data[part.len - 1] == '-')
		return false;
	for (size_t i = 0; i < part.len; i++)
		if (!is_alnum(part.data[i]) && part.data[i] != '-')
			return false;
	return true;
}

/* Which rule does the address break? NULL: none. */
static const char *email_wrong(struct text written)
{
	struct text domain, local;

	if (!written.len)
		return "empty";
	if (written.len > EMAIL_MAX)
		return "too_long";
	local = text_before(written, '@', &domain);
	if (local.len == written.len)
		return "no_at";
	if (memchr(domain.data, '@', domain.len))
		return "two_ats";
	if (local.len > LOCAL_MAX)
		return "local_too_long";
	if (!is_dotted(local, is_atom))
		return "local_part";
	if (!is_dotted(domain, is_label))
		return "domain";
	if (!memchr(domain.data, '.', domain.len))
		return "no_dot";
	return NULL;
}

bool email_normalise(struct arena *a, struct text written, struct text *out,
		     struct problem *p)
{
	const char *rule = email_wrong(written);
	char *lowered;

	/* Never the address: the log is kept longer than the account. */
	if (rule)
		return problem(p, EMAIL_REFUSED, "rule=%s length=%zu", rule, written.len);
	lowered = arena_alloc(a, written.len + 1);
	for (size_t i = 0; i < written.len; i++) {
		char c = written.data[i];

		lowered[i] = is_upper(c) ? (char)(c - 'A' + 'a') : c;
	}
	*out = (struct text){ lowered, written.len };
	return true;
}

struct text email_domain(struct text email)
{
	struct text domain;

	text_before(email, '@', &domain);
	return domain;
}

bool phone_is_valid(struct text phone)
{
	if (phone.len < 1 + 7 || phone.len > PHONE_MAX || phone.data[0] != '+' ||
	    phone.data[1] == '0')
		return false;
	for (size_t i = 1; i < phone.len; i++)
		if (!is_digit(phone.data[i]))
			return false;
	return true;
}
