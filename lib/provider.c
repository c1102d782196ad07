#include "provider.h"

#include <stdlib.h>

struct providers *provider_list_new(const struct config *config)
{
	struct providers *list = x_alloc(sizeof(*list));

	list->count = config->provider_count;
	list->all = x_alloc(list->count * sizeof(*list->all));
	for (size_t i = 0; i < list->count; i++) {
		list->all[i].config = &config->providers[i];
		list->all[i].jwks = jwks_new(config, &config->providers[i]);
	}
	return list;
}

void provider_list_free(struct providers *providers)
{
	if (!providers)
		return;
	for (size_t i = 0; i < providers->count; i++)
		jwks_free(providers->all[i].jwks);
	free(providers->all);
	free(providers);
}

const struct provider *provider_find(const struct providers *providers, struct text issuer)
{
	for (size_t i = 0; i < providers->count; i++) {
		const struct config_list *issuers = &providers->all[i].config->issuers;

		for (size_t k = 0; k < issuers->count; k++)
			if (text_is(issuer, issuers->items[k]))
				return &providers->all[i];
	}
	return NULL;
}
