#include "user.h"

#include "email.h"

static bool in_list(const struct config_list *list, struct text item)
{
	for (size_t i = 0; i < list->count; i++)
		if (text_is(item, list->items[i]))
			return true;
	return false;
}

bool user_domain_allowed(const struct config_accounts *accounts, struct text email,
			 struct problem *p)
{
	const struct text domain = email_domain(email);

	if (in_list(&accounts->deny_domains, domain))
		return problem(p, EMAIL_REFUSED, "domain is denied");
	if (accounts->allow_domains.count && !in_list(&accounts->allow_domains, domain))
		return problem(p, EMAIL_REFUSED, "domain is not in allow_domains");
	return true;
}

/* What one login asks of the store, together. */
struct search {
	struct store_tx *tx;
	const struct config_accounts *accounts;
	const struct identity *identity;
	struct text provider;
	int64_t now;
};

static bool by_subject(const struct search *s)
{
	return s->identity->provider->config->match == CONFIG_MATCH_SUBJECT;
}

/* The user with the verified address (or number) of the identity. */
static enum store_outcome find_by_address(const struct search *s,
					  struct store_match *match, struct problem *p)
{
	const struct identity *i = s->identity;
	enum store_outcome outcome;

	if (!i->email.len)
		return store_user_by_phone(s->tx, i->phone, s->provider, i->subject,
					   match, p);
	outcome = store_user_by_email(s->tx, i->email, s->provider, i->subject, match, p);
	/* No collation may decide who somebody is: the row must agree byte for byte. */
	if (outcome == STORE_OK && !text_is(i->email, match->user.email)) {
		problem(p, INTERNAL, "users.email is compared by a collation");
		return STORE_FAILED;
	}
	return outcome;
}

static bool link_subject(const struct search *s, const char *user_id, struct problem *p)
{
	switch (store_identity_add(s->tx, user_id, s->provider, s->identity->subject,
				   s->identity->email_written, s->now, p)) {
	case STORE_OK:
		return true;
	case STORE_ALREADY_THERE: /* a login beside this one was faster */
		return store_tx_again(s->tx, p);
	default:
		return false;
	}
}

/* Asked only where it matters, which is in no login of a user whose subject is known. */
static bool has_other_subject(const struct search *s, const char *user_id, bool *has,
			      struct problem *p)
{
	const enum store_outcome outcome = store_identity_other(
		s->tx, user_id, s->provider, s->identity->subject, p);

	*has = outcome == STORE_OK;
	return outcome != STORE_FAILED;
}

/* May the user found by address be taken for the bearer of this subject? */
static bool accept_match(const struct search *s, const struct store_match *match,
			 enum user_rule *rule, struct problem *p)
{
	const struct config_provider *provider = s->identity->provider->config;
	bool has_other = false;

	*rule = s->identity->email.len ? USER_BY_EMAIL : USER_BY_PHONE;
	if (match->subject_is_theirs || !s->identity->subject.len)
		return true;
	if (by_subject(s)) {
		/* Nobody's when it was looked for: a login beside this one took it since. */
		if (match->subject_is_anothers)
			return store_tx_again(s->tx, p);
		if (!has_other_subject(s, match->user.id, &has_other, p))
			return false;
		if (!provider->link || has_other)
			return problem(p, IDENTITY_CONFLICT, "user %s, link = %s%s",
				       match->user.id, provider->link ? "yes" : "no",
				       has_other ? ", has another sub" : "");
		*rule = USER_LINKED;
	} else if (s->accounts->refuse_subject_change) {
		if (!has_other_subject(s, match->user.id, &has_other, p))
			return false;
		if (has_other)
			return problem(p, IDENTITY_CONFLICT,
				       "user %s came with another sub", match->user.id);
	}
	/* With match = "email" a subject that moved stays where it was first seen. */
	return match->subject_is_anothers || link_subject(s, match->user.id, p);
}

static bool may_sign_up(const struct search *s, struct problem *p)
{
	struct store_match match;

	switch (s->accounts->signup) {
	case CONFIG_SIGNUP_OPEN:
		return true;
	case CONFIG_SIGNUP_CLOSED:
		return problem(p, SIGNUP_CLOSED, "signup = closed");
	case CONFIG_SIGNUP_INVITED:
		break;
	}
	if (!s->identity->email.len)
		return problem(p, SIGNUP_CLOSED, "invitations are by email");
	switch (store_invite_use(s->tx, s->identity->email, s->now, p)) {
	case STORE_OK:
		return true;
	case STORE_NOT_FOUND:
		/* Or a login beside this one has just used it: then the user is there now. */
		if (find_by_address(s, &match, p) == STORE_OK)
			return store_tx_again(s->tx, p);
		return problem(p, SIGNUP_CLOSED, "no invitation");
	default:
		return false;
	}
}

static bool create(const struct search *s, bool link, struct store_user *out,
		   struct problem *p)
{
	if (!may_sign_up(s, p))
		return false;
	switch (store_user_add(s->tx, s->identity->email, s->identity->phone, s->now, out,
			       p)) {
	case STORE_OK:
		return !link || link_subject(s, out->id, p);
	case STORE_ALREADY_THERE:
		/*
		 * Another first login of the same person won. Starting over lets go of the
		 * lock that the refused INSERT left on the row: to read on would deadlock
		 * with the others that wait there too.
		 */
		return store_tx_again(s->tx, p);
	default:
		return false;
	}
}

/*
 * Nearly every login is of somebody whose address and sub are both known and of one user:
 * then it is the same user by either match, no rule has anything to add, and one statement
 * finds and notes it. For everybody else STORE_NOT_FOUND, and the rules decide.
 */
static enum store_outcome find_known(const struct search *s, struct user_decision *out,
				     struct problem *p)
{
	const struct identity *i = s->identity;
	struct store_user user;
	enum store_outcome outcome;

	if (!i->email.len || !i->subject.len)
		return STORE_NOT_FOUND;
	outcome = store_user_known(s->tx, i->email, s->provider, i->subject, s->now,
				   &user, p);
	if (outcome == STORE_OK)
		*out = (struct user_decision){ user, false,
					       by_subject(s) ? USER_BY_SUBJECT
							     : USER_BY_EMAIL };
	return outcome;
}

/* The user as such, before anything about this login is written. */
static bool find_or_create(const struct search *s, struct user_decision *out,
			   struct problem *p)
{
	const struct identity *i = s->identity;
	struct store_match match;
	enum store_outcome outcome;
	bool subject_is_free = i->subject.len != 0;

	if (by_subject(s)) {
		outcome =
			store_user_by_subject(s->tx, s->provider, i->subject, &match, p);
		if (outcome == STORE_OK)
			*out = (struct user_decision){ match.user, false,
						       USER_BY_SUBJECT };
		if (outcome != STORE_NOT_FOUND)
			return outcome == STORE_OK;
	}
	if (i->no_email != PROBLEM_NONE)
		return problem_as(p, i->no_email, "unknown sub");
	outcome = find_by_address(s, &match, p);
	if (outcome == STORE_OK) {
		*out = (struct user_decision){ match.user, false, USER_BY_EMAIL };
		return !match.user.active || accept_match(s, &match, &out->rule, p);
	}
	if (outcome == STORE_FAILED)
		return false;
	if (subject_is_free && !by_subject(s)) {
		outcome =
			store_user_by_subject(s->tx, s->provider, i->subject, &match, p);
		if (outcome == STORE_FAILED)
			return false;
		subject_is_free = outcome == STORE_NOT_FOUND;
	}
	out->created = true;
	out->rule = s->accounts->signup == CONFIG_SIGNUP_INVITED ? USER_INVITED
								 : USER_CREATED;
	return create(s, subject_is_free, &out->user, p);
}

bool user_find_or_create(struct store_tx *tx, const struct config_accounts *accounts,
			 const struct identity *identity, int64_t now,
			 struct user_decision *out, struct problem *p)
{
	const struct search s = {
		.tx = tx,
		.accounts = accounts,
		.identity = identity,
		.provider = text_of(identity->provider->config->name),
		.now = now,
	};
	struct user_decision d = { 0 };

	store_tx_about(tx, identity->email, identity->phone, s.provider,
		       identity->subject);
	if (identity->email.len && !user_domain_allowed(accounts, identity->email, p))
		return false;
	switch (find_known(&s, &d, p)) {
	case STORE_OK:
		break;
	case STORE_NOT_FOUND:
		if (!find_or_create(&s, &d, p))
			return false;
		if (!d.user.active)
			return problem(p, ACCOUNT_DISABLED, "user %s", d.user.id);
		if (!d.created && store_user_seen(tx, d.user.id, now, p) != STORE_OK)
			return false;
		break;
	default:
		return false;
	}
	*out = d;
	return true;
}

const char *user_rule_text(enum user_rule rule)
{
	switch (rule) {
	case USER_BY_SUBJECT:
		return "the sub is linked to this user";
	case USER_BY_EMAIL:
		return "the verified email is this user's";
	case USER_BY_PHONE:
		return "the verified phone number is this user's";
	case USER_LINKED:
		return "the verified email is this user's, and link = yes links the sub";
	case USER_CREATED:
		return "nobody has the sub or the address, and signup = open";
	case USER_INVITED:
		return "nobody has the sub or the address, and it is invited";
	}
	return "";
}
