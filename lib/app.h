/* What every handler may use: the configuration, the store, the providers, our own keys. */
#ifndef PINTLE_APP_H
#define PINTLE_APP_H

#include "config.h"
#include "mint.h"
#include "provider.h"
#include "rate.h"
#include "store.h"
#include "token.h"

struct app {
	struct config *config; /* owned */
	struct store *store;
	struct rate *rate;	  /* NULL: no limit */
	struct token_rules rules; /* with the providers */

	/* Session mode "jwt", else NULL: our own tokens, and we as their provider. */
	struct mint *mint;
	struct config *own_config;
	struct token_rules own_rules;
};

/* Takes CONFIG over. Connects to nothing, fetches nothing. */
struct app *app_new(struct config *config);
void app_free(struct app *app);

#endif
