#include "app.h"

#include <stdlib.h>

struct app *app_new(struct config *config)
{
	struct app *app = x_alloc(sizeof(*app));

	app->config = config;
	app->store = store_new(config);
	app->providers = provider_list_new(config);
	app->rules = (struct token_rules){
		.providers = app->providers,
		.token_limit = config->token_limit,
		.phone = config->accounts.phone,
	};
	return app;
}

void app_free(struct app *app)
{
	if (!app)
		return;
	provider_list_free(app->providers);
	store_free(app->store);
	config_free(app->config);
	free(app);
}
