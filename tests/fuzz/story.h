/*
 * What ought to be so after each request of a story (fuzz_story.c): who has a session, and
 * who may come in with what. It is told by SPEC, and looks into the store for what is there.
 */
#ifndef PINTLE_FUZZ_STORY_H
#define PINTLE_FUZZ_STORY_H

#include "asking.h"

#define STORY_PERSONS 3
#define STORY_SESSIONS 32
#define STORY_PIECES 64

enum piece_kind { PIECE_OPAQUE, PIECE_JWT, PIECE_REFRESH, PIECE_PROVIDER };

/* Something a client has in its hands, to be shown again, rightly or wrongly. */
struct piece {
	enum piece_kind kind;
	struct text text;
	int session; /* -1: none */
	size_t person;
	int64_t from;	     /* when it was made */
	uint64_t generation; /* of a refresh token */
	bool once;	     /* of a provider with single_use and max_age */
	int64_t first_used;  /* by a login, then; 0: never */
};

struct known_session {
	struct store_session row; /* as it was last seen */
	char user_id[STORE_ID_SIZE];
	size_t person;
	bool there, active; /* its row; its user */
	/* A refresh that got no answer: 1 + the generation, 0 for none; and whether it was done. */
	uint64_t doubtful;
	bool was_done;
};

struct person {
	const char *email;
	struct store_user user;
	bool there;
};

struct story {
	struct app *app;
	struct arena *arena;
	int64_t now;
	struct person persons[STORY_PERSONS];
	struct known_session sessions[STORY_SESSIONS];
	size_t session_count;
	struct piece pieces[STORY_PIECES];
	size_t piece_count;
	unsigned tokens, faults; /* that were made; that are set up */
};

enum verdict { NO, MAYBE, YES };

/* Who may come in. */
struct allowed {
	enum verdict verdict;
	int session; /* -1: none stands behind it */
	size_t person;
};

/* By a piece in the session cookie, or as Bearer. NULL for none. */
struct allowed story_allows(const struct story *s, const struct piece *piece, bool cookie,
			    bool at_gate);

/* Does a provider's token still open a session? Within a leeway it may. */
enum verdict story_token_opens(const struct story *s, const struct piece *token);
enum verdict story_session_is_good(const struct story *s, int session);

/* Notes a piece, unless there are too many. */
void story_keep(struct story *s, struct piece piece);

/* Notes the session of a login that was answered; its number, or -1 when there are too many. */
int story_add_session(struct story *s, size_t person, const char *id);

/* Looks into the store: who is there now? What is gone never comes back. */
void story_look(struct story *s);

/* ---- requests: story_requests.c. Each is made, and its answer looked at. */

/* What it is made with. */
struct step {
	const struct piece *cookie, *bearer, *refresh;
	size_t person, session;
	unsigned char choice;
};

/* Which sessions it may end, and which it must. */
struct effect {
	bool may_end[STORY_SESSIONS], must_end[STORY_SESSIONS];
	bool faults; /* the database failed in it, somewhere */
};

void story_login(struct story *s, const struct step *step, struct effect *e,
		 struct reply *r);
void story_session(struct story *s, const struct step *step, struct effect *e,
		   struct reply *r);
void story_gate(struct story *s, const struct step *step, struct effect *e,
		struct reply *r);
void story_refresh(struct story *s, const struct step *step, struct effect *e,
		   struct reply *r);
void story_logout(struct story *s, const struct step *step, struct effect *e,
		  struct reply *r);
void story_end_one(struct story *s, const struct step *step, struct effect *e,
		   struct reply *r);

#endif
