/* What every handler may use: the configuration, the store, the providers. */
#ifndef PINTLE_APP_H
#define PINTLE_APP_H

#include "config.h"
#include "provider.h"
#include "store.h"
#include "token.h"

struct app {
	struct config *config; /* owned */
	struct store *store;
	struct providers *providers;
	struct token_rules rules;
};

/* Takes CONFIG over. Connects to nothing, fetches nothing. */
struct app *app_new(struct config *config);
void app_free(struct app *app);

#endif
