#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buffer.h"
#include "config.h"
#include "fuzz.h"

static const char *path(void);

static void remove_file(void)
{
	unlink(path());
}

static const char *path(void)
{
	static char name[256];
	const char *where = getenv("TMPDIR");
	int fd;

	if (!*name) {
		snprintf(name, sizeof(name), "%s/pintle-fuzz-XXXXXX",
			 where ? where : "/tmp");
		fd = mkstemp(name);
		REQUIRE(fd >= 0);
		close(fd);
		atexit(remove_file);
	}
	return name;
}

static void fill(struct text text)
{
	const int fd = open(path(), O_WRONLY | O_TRUNC | O_CLOEXEC);

	REQUIRE(fd >= 0 && write(fd, text.data, text.len) == (ssize_t)text.len);
	close(fd);
}

static bool print(void *context, const char *option, const char *value,
		  const char *origin)
{
	struct buffer *b = context;

	REQUIRE(option && *option && value && origin && *origin);
	/* Never a password, whatever it is. */
	if (strcmp(option, "database.password") == 0)
		REQUIRE(!*value || strspn(value, "*") == strlen(value) || *value == '(');
	buffer_printf(b, "%s = %s (%s)\n", option, value, origin);
	return true;
}

static struct text load(struct arena *a, char error[CONFIG_ERROR_SIZE])
{
	struct buffer b = buffer_new(a, 4096);
	struct config *config = config_load(path(), error);

	if (!config)
		return AS_TEXT("");
	REQUIRE(config->public_url && config->public_origin && config->state_dir &&
		config->threads > 0 && config->database.pool > 0 &&
		config->session.cookie);
	for (size_t i = 0; i < config->provider_count; i++) {
		const struct config_provider *p = &config->providers[i];

		/* No provider that takes anybody's token, or has no keys. */
		REQUIRE(p->audience.count && p->issuers.count && p->algorithms);
		REQUIRE(p->jwks_file || p->jwks_url || p->discovery);
	}
	REQUIRE(config_each(config, print, &b));
	config_free(config);
	return buffer_text(&b);
}

void fuzz_config(struct arena *a, struct text input)
{
	char error[CONFIG_ERROR_SIZE] = "", second[CONFIG_ERROR_SIZE] = "";
	struct text first, again;

	fill(input);
	first = load(a, error);
	again = load(a, second);
	/* The same both times, and an error that says where. */
	REQUIRE(text_equal(first, again) && strcmp(error, second) == 0);
	REQUIRE((first.len == 0) == (*error != '\0'));
	fuzz_through += !*error;
	if (*error)
		REQUIRE(text_starts(text_of(error), path()));
}
