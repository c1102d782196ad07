/*
 * What is remembered: users, their identities, sessions. All SQL is behind this header.
 *
 * store_mysql.c keeps it in MySQL or MariaDB; tests/fakes/fake_store.c keeps it in memory,
 * and one contract test runs against both. Ids are text: decimal, but for those of an own
 * users table. Times are seconds since 1970 UTC. A failure of the database itself is problem
 * DATABASE_AWAY; what a caller should expect is an outcome.
 */
#ifndef PINTLE_STORE_H
#define PINTLE_STORE_H

#include "arena.h"
#include "config.h"
#include "problem.h"
#include "secret.h"

struct store;
struct store_tx; /* one attempt of a transaction */

enum store_outcome {
	STORE_OK,
	STORE_NOT_FOUND,
	STORE_ALREADY_THERE, /* a unique key is taken */
	STORE_FAILED,	     /* the problem says why */
};

#define STORE_ID_SIZE 65

struct store_user {
	char id[STORE_ID_SIZE];
	char email[255]; /* "" when there is none */
	char phone[20];
	bool active;
};

/* A user found, and how the provider's subject that was asked for relates to it. */
struct store_match {
	struct store_user user;
	bool subject_is_theirs;	  /* (provider, subject) is linked to this user */
	bool subject_is_anothers; /* it is linked to another user */
};

struct store_session {
	char id[STORE_ID_SIZE];
	char provider[33];
	char address[46];
	char user_agent[256];
	int64_t created_at, last_seen_at, expires_at;
	/* Mode "jwt": the refresh token's number, when it became that, and what it is made from. */
	uint64_t generation;
	int64_t rotated_at;
	unsigned char hash[SHA256_BYTES];
};

/* ---- opening and closing */

/* Never fails and connects to nothing: Pintle starts with the database down. */
struct store *store_new(const struct config *config);
void store_free(struct store *store);

/* Around the life of each thread that uses the store. */
void store_thread_start(void);
void store_thread_end(void);

/* Does the database answer, with the schema that this program needs? */
bool store_ping(struct store *store, struct problem *p)
	__attribute__((warn_unused_result));

/*
 * Are the tables fit to say who somebody is: every key column UNIQUE and compared byte for
 * byte, the queries of an own users table good? INTERNAL, with what is wrong, when they are
 * not: then nothing should start. DATABASE_AWAY when that cannot be known now. Each new
 * connection is looked at again before it is used.
 */
bool store_check(struct store *store, struct problem *p)
	__attribute__((warn_unused_result));

/* Is any table of ours used at all? Not with an own users table and sessions = no. */
bool store_needs_tables(const struct store *store);

/* ---- transactions */

/*
 * Runs WORK in a transaction and commits when it returns true. A deadlock, a lock timeout,
 * a lost connection, or WORK's own store_tx_again start the whole transaction over, a few
 * times; WORK must therefore set its outputs anew each time. True means committed.
 */
bool store_transact(struct store *store,
		    bool (*work)(struct store_tx *tx, void *context, struct problem *p),
		    void *context, struct problem *p) __attribute__((warn_unused_result));

/* Asks for the transaction to be started over; returns false, to be returned by WORK. */
bool store_tx_again(struct store_tx *tx, struct problem *p);

/* The connection was lost during an earlier attempt's COMMIT: it may have been done. */
bool store_tx_may_be_done(const struct store_tx *tx);

/*
 * What the transaction is about: with a users table of its own, what the queries may ask
 * for. The texts must live as long as the transaction.
 */
void store_tx_about(struct store_tx *tx, struct text email, struct text phone,
		    struct text provider, struct text subject);

/*
 * The transaction is a trial and will be taken back: the administrator's own statements that
 * change something are not run, as their table may not know how to take anything back.
 */
void store_tx_try(struct store_tx *tx);

/*
 * Most logins in one statement: finds the active user with this address and no phone number,
 * whom (PROVIDER, SUBJECT) is linked to, and notes the login. STORE_OK; STORE_NOT_FOUND, and
 * nothing but perhaps that, for everybody else, with a users table that is not ours, and where
 * a trigger on ours hides the id: then the other calls find out; FAILED.
 */
enum store_outcome store_user_known(struct store_tx *tx, struct text email,
				    struct text provider, struct text subject,
				    int64_t now, struct store_user *out,
				    struct problem *p);

/* EMAIL or PHONE in canonical form. STORE_OK, NOT_FOUND or FAILED. */
enum store_outcome store_user_by_email(struct store_tx *tx, struct text email,
				       struct text provider, struct text subject,
				       struct store_match *out, struct problem *p);
enum store_outcome store_user_by_phone(struct store_tx *tx, struct text phone,
				       struct text provider, struct text subject,
				       struct store_match *out, struct problem *p);
enum store_outcome store_user_by_subject(struct store_tx *tx, struct text provider,
					 struct text subject, struct store_match *out,
					 struct problem *p);

/* EMAIL or PHONE may be empty (none), not both. STORE_OK, ALREADY_THERE or FAILED. */
enum store_outcome store_user_add(struct store_tx *tx, struct text email,
				  struct text phone, int64_t now, struct store_user *out,
				  struct problem *p);
enum store_outcome store_user_seen(struct store_tx *tx, const char *user_id, int64_t now,
				   struct problem *p);
enum store_outcome store_identity_add(struct store_tx *tx, const char *user_id,
				      struct text provider, struct text subject,
				      struct text email_as_written, int64_t now,
				      struct problem *p);

/* Has the user a subject of this provider besides SUBJECT? STORE_OK, NOT_FOUND or FAILED. */
enum store_outcome store_identity_other(struct store_tx *tx, const char *user_id,
					struct text provider, struct text subject,
					struct problem *p);

/* Marks an unused invitation as used. STORE_OK, NOT_FOUND or FAILED. */
enum store_outcome store_invite_use(struct store_tx *tx, struct text email, int64_t now,
				    struct problem *p);

/* SESSION's id is set. STORE_OK, ALREADY_THERE (this hash) or FAILED. */
enum store_outcome store_session_add(struct store_tx *tx, const char *user_id,
				     const unsigned char hash[SHA256_BYTES],
				     struct store_session *session, struct problem *p);

/*
 * Ends the user's oldest sessions beyond KEEP, but never that of NEWEST_ID: by a clock that was
 * set back, or another machine's, those before it can be from later.
 */
enum store_outcome store_session_trim(struct store_tx *tx, const char *user_id,
				      const char *newest_id, int keep, struct problem *p);

/*
 * Notes that the token of this hash was used; it is forgotten after EXPIRES_AT. *FIRST_USED_AT
 * gets when that was for the first time, NOW if it is now. STORE_OK, ALREADY_THERE (another
 * transaction is noting it right now) or FAILED.
 */
enum store_outcome store_token_use(struct store_tx *tx,
				   const unsigned char hash[SHA256_BYTES], int64_t now,
				   int64_t expires_at, int64_t *first_used_at,
				   struct problem *p);

/* Within a transaction: ends the session of this hash, whoever's. STORE_OK or FAILED. */
enum store_outcome store_session_drop(struct store_tx *tx,
				      const unsigned char hash[SHA256_BYTES],
				      struct problem *p);

/* ---- single statements, each its own transaction; a lost connection is opened again */

/*
 * Who the bearer of a provider's token is, without a login: by subject when BY_SUBJECT, else
 * by EMAIL or, if that is empty, PHONE. STORE_OK, NOT_FOUND or FAILED.
 */
enum store_outcome store_user_find(struct store *store, bool by_subject,
				   struct text email, struct text phone,
				   struct text provider, struct text subject,
				   struct store_user *out, struct problem *p);

/* When the token of this hash was first used by a login. STORE_OK, NOT_FOUND or FAILED. */
enum store_outcome store_token_used(struct store *store,
				    const unsigned char hash[SHA256_BYTES],
				    int64_t *first_used_at, struct problem *p);

/* Also finds sessions that have expired or whose user is disabled. */
enum store_outcome store_session_find(struct store *store,
				      const unsigned char hash[SHA256_BYTES],
				      struct store_session *session,
				      struct store_user *user, struct problem *p);
/* The same by session id. GENERATION and ROTATED_AT belong to the refresh token behind it. */
enum store_outcome store_session_by_id(struct store *store, const char *session_id,
				       struct store_session *session,
				       struct store_user *user, struct problem *p);

/*
 * Takes the refresh token of a session on from FROM to FROM + 1. STORE_NOT_FOUND when it is
 * no longer at FROM: somebody else was faster, or the session is gone. STORE_FAILED with
 * p->may_be_done when the database was lost before it said, or said something odd.
 */
enum store_outcome store_session_rotate(struct store *store, const char *session_id,
					uint64_t from, int64_t now, struct problem *p);

enum store_outcome store_session_touch(struct store *store, const char *session_id,
				       int64_t now, struct problem *p);

/*
 * Ends sessions of one user: the one with SESSION_ID, or, with OTHERS, all but that one;
 * all of them when SESSION_ID is NULL. *ENDED gets how many. STORE_OK or FAILED.
 */
enum store_outcome store_session_end(struct store *store, const char *user_id,
				     const char *session_id, bool others, uint64_t *ended,
				     struct problem *p);

/* Calls EACH for the user's sessions that expire after NOW, the newest first. */
enum store_outcome
store_session_each(struct store *store, const char *user_id, int64_t now,
		   void (*each)(void *context, const struct store_session *session),
		   void *context, struct problem *p);

/*
 * Removes at most LIMIT sessions, and as many used tokens, that expired before NOW. *REMOVED
 * gets how many sessions.
 */
enum store_outcome store_session_purge(struct store *store, int64_t now, unsigned limit,
				       uint64_t *removed, struct problem *p);

/* ---- the schema, for pintlectl */

/* What this program's statements need; store_ping compares. */
#define STORE_SCHEMA_VERSION 2

struct store_migration {
	int version;
	const char *name, *sql; /* statements end in ";" at the end of a line */
};

/* 0 for an empty database. */
bool store_schema_version(struct store *store, int *version, struct problem *p)
	__attribute__((warn_unused_result));

/* Applies what is missing, one after the other; DONE is called after each. */
bool store_migrate(struct store *store, const struct store_migration *migrations,
		   size_t count, int64_t now,
		   void (*done)(const struct store_migration *), struct problem *p)
	__attribute__((warn_unused_result));

/* The server's version and how it is reached, for people: "MariaDB 10.11.19 on …". */
bool store_describe(struct store *store, char *out, size_t size, struct problem *p)
	__attribute__((warn_unused_result));

#endif
