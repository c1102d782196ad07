/*
 * The store in memory, put in the place of store_mysql.c by the linker; and what a test may
 * do to it. store_contract.c keeps it honest.
 *
 * Transactions read what is committed and hold the rows they write until they end; others
 * that want those wait, and where they wait in a circle one of them fails as a deadlock.
 * A WORK that uses the store after a failure, or fails without a problem, ends the process.
 */
#ifndef PINTLE_FAKE_STORE_H
#define PINTLE_FAKE_STORE_H

#include "store.h"

/* What happens to one operation. */
enum fake_fault {
	FAKE_FINE,
	FAKE_LOST,	  /* the connection is lost; nothing was done; tried again */
	FAKE_LOST_DONE,	  /* a COMMIT or single statement was done, its answer lost */
	FAKE_CONFLICT,	  /* a deadlock or lock timeout: rolled back; tried again */
	FAKE_BROKEN,	  /* any other error of the database: not tried again */
	FAKE_BROKEN_DONE, /* such an error, and yet it was done */
};

/*
 * OPERATION is "begin", "commit", or a function's name less "store_": "user_add"; NULL is
 * every one. After SKIP more of them the next COUNT meet FAULT. Several may be set up; an
 * operation that meets one is not counted by those after it.
 */
void fake_store_fail(struct store *store, const char *operation, unsigned skip,
		     unsigned count, enum fake_fault fault);

/* No more faults. */
void fake_store_heal(struct store *store);

/* Nobody answers, until it is called with false. */
void fake_store_away(struct store *store, bool away);

/* Called before each operation, nothing locked: for what others do in between. */
void fake_store_between(struct store *store,
			void (*hook)(void *context, const char *operation),
			void *context);

/* Since store_new or fake_store_count_anew. */
struct fake_counts {
	unsigned operations; /* all of them, "begin" and "commit" too */
	unsigned begins, commits, rollbacks, faults;
};
struct fake_counts fake_store_counts(struct store *store);
void fake_store_count_anew(struct store *store);

/* ---- what is committed */

enum fake_table {
	FAKE_USERS,
	FAKE_IDENTITIES,
	FAKE_SESSIONS,
	FAKE_INVITES,
	FAKE_USED_TOKENS,
	FAKE_TABLES
};

size_t fake_store_rows(struct store *store, enum fake_table table);

/* A line for each row, bytes as they are and hashes in hex. To be freed. */
char *fake_store_dump(struct store *store);

/* ---- what an administrator does */

void fake_store_invite(struct store *store, struct text email);
void fake_store_set_active(struct store *store, const char *user_id, bool active);
void fake_store_erase(struct store *store, const char *user_id);
void fake_store_set_schema(struct store *store, int version);

#endif
