/* store_admin.h for a users table that is not ours. For store_admin.c alone. */
#ifndef PINTLE_STORE_ADMIN_OWN_H
#define PINTLE_STORE_ADMIN_OWN_H

#include "store_admin.h"
#include "store_mysql.h"

/* By id also one who is missing there, if our tables know of him. */
enum store_outcome own_admin_user(struct store *store,
				  const struct store_admin_name *name,
				  const struct store_admin_live *live,
				  struct store_admin_user *out, struct problem *p);

/* By query_create. STORE_OK, ALREADY_THERE or FAILED. */
enum store_outcome own_admin_create(struct store *store, struct text email,
				    struct text phone, struct store_admin_user *out,
				    struct problem *p);

/* What our tables have; the row in the other table stays. */
enum store_outcome own_admin_erase(struct store *store, const char *user_id,
				   struct store_admin_erased *out, struct problem *p);

#endif
