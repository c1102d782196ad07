#include "app.h"

#include <stdlib.h>

#define OWN_LEEWAY_S 5

/*
 * We, as the provider of our own session tokens: they are checked by the same strict
 * verifier as everybody's.
 */
static struct config *own_config_new(const struct config *config)
{
	struct config *own = x_alloc(sizeof(*own));
	struct config_provider *p = x_alloc(sizeof(*p));
	struct arena *scratch = arena_new();

	own->providers = p;
	own->provider_count = 1;
	own->threads = config->threads;
	p->name = x_copy(AS_TEXT("session"));
	p->issuers.items = x_alloc(2 * sizeof(char *));
	p->issuers.items[0] = config->public_url;
	p->issuers.count = 1;
	p->audience = p->issuers;
	p->audience_claim = x_copy(AS_TEXT("aud"));
	p->jwks_file = x_copy(
		arena_printf(scratch, "%s/" MINT_JWKS_FILE, config->session.keys_dir));
	p->algorithms = 1u << JWS_ES256;
	p->require = x_alloc(sizeof(*p->require));
	*p->require = (struct claim_rule){ "type", "session" };
	p->require_count = 1;
	p->email_claim = x_copy(AS_TEXT("email"));
	p->verified = CONFIG_VERIFIED_ALWAYS;
	p->match = CONFIG_MATCH_SUBJECT;
	p->leeway_s = OWN_LEEWAY_S;
	p->max_life_s = MINT_LIFE_S;
	arena_free(scratch);
	return own;
}

static void own_config_free(struct config *own)
{
	struct config_provider *p;

	if (!own)
		return;
	p = own->providers;
	free(p->name);
	free(p->issuers.items);
	free(p->audience_claim);
	free(p->jwks_file);
	free(p->require);
	free(p->email_claim);
	free(p);
	free(own);
}

struct app *app_new(struct config *config)
{
	struct app *app = x_alloc(sizeof(*app));

	app->config = config;
	app->store = store_new(config);
	app->rate = rate_new(config);
	app->rules = (struct token_rules){
		.providers = provider_list_new(config),
		.token_limit = config->token_limit,
		.phone = config->accounts.phone,
	};
	if (config->session.mode == CONFIG_SESSION_JWT) {
		app->mint = mint_new(config);
		app->own_config = own_config_new(config);
		app->own_rules = (struct token_rules){
			.providers = provider_list_new(app->own_config),
			.token_limit = config->token_limit,
			.issuer = METRICS_OWN,
		};
	}
	return app;
}

void app_free(struct app *app)
{
	if (!app)
		return;
	provider_list_free(app->rules.providers);
	provider_list_free(app->own_rules.providers);
	mint_free(app->mint);
	own_config_free(app->own_config);
	rate_free(app->rate);
	store_free(app->store);
	config_free(app->config);
	free(app);
}
