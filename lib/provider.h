/* The providers whose tokens are trusted, told apart by issuer alone. */
#ifndef PINTLE_PROVIDER_H
#define PINTLE_PROVIDER_H

#include "config.h"
#include "jwks.h"

struct provider {
	const struct config_provider *config;
	struct jwks *jwks;
};

struct provider_issuer {
	const char *issuer;
	const struct provider *provider;
};

struct providers {
	struct provider *all;
	size_t count;

	/* All issuers: the exact ones in order first, then those with {tenantid}. */
	struct provider_issuer *issuers;
	size_t exact_count, issuer_count;
};

/* CONFIG must outlive it. */
struct providers *provider_list_new(const struct config *config);
void provider_list_free(struct providers *providers);

/*
 * The provider with this issuer, byte for byte; else the one whose issuer it is with TENANT,
 * the token's "tid", in the place of {tenantid}. NULL if there is none.
 */
const struct provider *provider_find(const struct providers *providers,
				     struct text issuer, struct text tenant);

#endif
