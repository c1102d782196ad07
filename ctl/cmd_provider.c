#include <limits.h>
#include <stdio.h>

#include "arguments.h"
#include "buffer.h"
#include "json.h"

static const char *source(const struct config_provider *p)
{
	if (p->jwks_file)
		return p->jwks_file;
	return p->discovery ? "discovery" : p->jwks_url;
}

static void print_json(struct command_context *context, const struct config_provider *p,
		       bool have, size_t keys, int64_t age_s)
{
	struct buffer b = buffer_new(context->arena, 512);

	json_begin(&b, NULL, '{');
	json_add_string(&b, "name", text_of(p->name));
	json_begin(&b, "issuers", '[');
	for (size_t i = 0; i < p->issuers.count; i++)
		json_add_string(&b, NULL, text_of(p->issuers.items[i]));
	json_end(&b, ']');
	json_add_string(&b, "source", text_of(source(p)));
	json_add_number(&b, "keys", have ? (int64_t)keys : 0);
	if (have)
		json_add_number(&b, "age_s", age_s);
	else
		json_add_null(&b, "age_s");
	json_end(&b, '}');
	printf("%.*s\n", TEXT_ARG(buffer_text(&b)));
}

int cmd_provider_list(struct command_context *context, int argc, char **argv)
{
	const struct providers *providers = context->app->rules.providers;

	if (!arguments_none(context, argc, argv))
		return STATUS_USAGE;
	for (size_t i = 0; i < providers->count; i++) {
		const struct config_provider *p = providers->all[i].config;
		int64_t age_s = 0;
		size_t keys = 0;
		const bool have =
			jwks_status(providers->all[i].jwks, context->now, &keys, &age_s);

		if (context->json) {
			print_json(context, p, have, keys, age_s);
			continue;
		}
		printf("%-16s %s\n", p->name, p->issuers.items[0]);
		if (have)
			printf("%-16s %zu keys, %lld s old, from %s\n", "", keys,
			       (long long)age_s, source(p));
		else
			printf("%-16s no keys yet, from %s\n", "", source(p));
	}
	return STATUS_DONE;
}

static bool is_asked_for(const char *name, const struct arguments *arguments)
{
	for (int i = 0; i < arguments->count; i++)
		if (strcmp(arguments->operands[i], name) == 0)
			return true;
	return arguments->count == 0;
}

static bool all_are_known(const struct providers *providers,
			  const struct arguments *arguments)
{
	for (int i = 0; i < arguments->count; i++) {
		size_t k = 0;

		while (k < providers->count && strcmp(providers->all[k].config->name,
						      arguments->operands[i]) != 0)
			k++;
		if (k < providers->count)
			continue;
		fprintf(stderr, "pintlectl: there is no provider %s\n",
			arguments->operands[i]);
		return false;
	}
	return true;
}

int cmd_provider_refresh(struct command_context *context, int argc, char **argv)
{
	static const struct arguments_shape shape = { .most = INT_MAX };
	const struct providers *providers = context->app->rules.providers;
	struct arguments arguments;
	int status = STATUS_DONE;

	if (!arguments_parse(context, argc, argv, &shape, &arguments))
		return STATUS_USAGE;
	if (!all_are_known(providers, &arguments))
		return STATUS_NO;

	for (size_t i = 0; i < providers->count; i++) {
		const struct provider *provider = &providers->all[i];
		struct problem p = { 0 };
		int64_t age_s;
		size_t keys;

		if (!is_asked_for(provider->config->name, &arguments))
			continue;
		if (!jwks_refresh(provider->jwks, context->now, &p)) {
			status = command_problem(&p);
			continue;
		}
		jwks_status(provider->jwks, context->now, &keys, &age_s);
		printf(context->json ? "{\"provider\":\"%s\",\"keys\":%zu}\n"
				     : "%-16s %zu keys\n",
		       provider->config->name, keys);
	}
	return status;
}
