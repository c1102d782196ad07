#include "provider.h"

#include <stdlib.h>

/* By length first: a comparison with what a token says then ends at its own last byte. */
static int compare_texts(struct text a, struct text b)
{
	if (a.len != b.len)
		return a.len < b.len ? -1 : 1;
	return memcmp(a.data, b.data, a.len);
}

static bool is_exact(const char *issuer)
{
	return !strstr(issuer, CLAIMS_TENANT);
}

static int compare_issuers(const void *a, const void *b)
{
	const char *x = ((const struct provider_issuer *)a)->issuer;
	const char *y = ((const struct provider_issuer *)b)->issuer;

	if (is_exact(x) != is_exact(y))
		return is_exact(x) ? -1 : 1;
	return compare_texts(text_of(x), text_of(y));
}

static int compare_wanted(const void *wanted, const void *entry)
{
	return compare_texts(*(const struct text *)wanted,
			     text_of(((const struct provider_issuer *)entry)->issuer));
}

/* Once, so that a token's way to its provider does not grow with their number. */
static void sort_issuers(struct providers *list)
{
	size_t room = 0;

	for (size_t i = 0; i < list->count; i++)
		room += list->all[i].config->issuers.count;
	list->issuers = x_alloc(room * sizeof(*list->issuers));
	for (size_t i = 0; i < list->count; i++) {
		const struct config_list *issuers = &list->all[i].config->issuers;

		for (size_t k = 0; k < issuers->count; k++) {
			list->issuers[list->issuer_count++] =
				(struct provider_issuer){ issuers->items[k],
							  &list->all[i] };
			list->exact_count += is_exact(issuers->items[k]);
		}
	}
	qsort(list->issuers, list->issuer_count, sizeof(*list->issuers), compare_issuers);
}

struct providers *provider_list_new(const struct config *config)
{
	struct providers *list = x_alloc(sizeof(*list));

	list->count = config->provider_count;
	list->all = x_alloc(list->count * sizeof(*list->all));
	for (size_t i = 0; i < list->count; i++) {
		list->all[i].config = &config->providers[i];
		list->all[i].jwks = jwks_new(config, &config->providers[i]);
	}
	sort_issuers(list);
	return list;
}

void provider_list_free(struct providers *providers)
{
	if (!providers)
		return;
	for (size_t i = 0; i < providers->count; i++)
		jwks_free(providers->all[i].jwks);
	free(providers->issuers);
	free(providers->all);
	free(providers);
}

const struct provider *provider_find(const struct providers *providers,
				     struct text issuer, struct text tenant)
{
	const struct provider_issuer *found =
		bsearch(&issuer, providers->issuers, providers->exact_count,
			sizeof(*providers->issuers), compare_wanted);

	if (found)
		return found->provider;
	for (size_t i = providers->exact_count; i < providers->issuer_count; i++)
		if (claims_issuer(providers->issuers[i].issuer, issuer, tenant))
			return providers->issuers[i].provider;
	return NULL;
}
