/* Keys in files: those that we sign with (session mode jwt), and pinned ones of providers. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "doctor.h"
#include "jwk.h"

static void count_key(void *context, const char *kid, int64_t created_at, bool signs)
{
	size_t *count = context;

	(void)kid, (void)created_at, (void)signs;
	++*count;
}

static void check_key_file(struct doctor *d, const struct stat *dir, const char *path)
{
	const size_t len = strlen(path);
	const bool is_public = (len > 5 && strcmp(path + len - 5, ".json") == 0) ||
			       (len > 4 && strcmp(path + len - 4, ".jwk") == 0);
	struct stat st;

	if (lstat(path, &st))
		return;
	if (st.st_uid != dir->st_uid)
		doctor_note(d, DOCTOR_WRONG, "key_file_owner",
			    DOCTOR_TEXT(d, "chown it to the owner of %s",
					d->config->session.keys_dir),
			    "%s does not belong to the owner of keys_dir", path);
	if (!is_public && (st.st_mode & 077))
		doctor_note(
			d, DOCTOR_WRONG, "key_file_readable",
			DOCTOR_TEXT(
				d,
				"chmod 0600 %s; if anybody may have read it: pintlectl "
				"keys rotate",
				path),
			"%s, a private key, can be read by others: whoever has it can be "
			"anybody",
			path);
}

static void check_key_files(struct doctor *d, const struct stat *st, const char *dir)
{
	DIR *list = opendir(dir);
	const struct dirent *entry;

	if (!list)
		return;
	while ((entry = readdir(list)))
		if (entry->d_name[0] != '.')
			check_key_file(d, st,
				       DOCTOR_TEXT(d, "%s/%s", dir, entry->d_name));
	closedir(list);
}

static void check_keys_dir(struct doctor *d)
{
	const char *dir = d->config->session.keys_dir;
	struct problem p = { 0 };
	size_t count = 0;
	struct stat st;

	if (stat(dir, &st) || !S_ISDIR(st.st_mode)) {
		doctor_note(
			d, DOCTOR_WRONG, "keys_dir_missing",
			DOCTOR_TEXT(
				d,
				"install -d -m 0700 -o ACCOUNT -g ACCOUNT %s, with the "
				"account that Pintle runs as; then: pintlectl keys "
				"rotate",
				dir),
			"session.keys_dir %s is not there, or no directory", dir);
		return;
	}
	if (st.st_mode & 022)
		doctor_note(d, DOCTOR_WRONG, "keys_dir_writable",
			    DOCTOR_TEXT(d, "chmod 0700 %s", dir),
			    "session.keys_dir %s can be written by others, who could "
			    "sign with keys "
			    "of their own",
			    dir);
	if (geteuid() != 0 && st.st_uid != geteuid())
		doctor_note(d, DOCTOR_WRONG, "keys_dir_owner",
			    DOCTOR_TEXT(d,
					"chown -R %s to the account that Pintle runs as",
					dir),
			    "session.keys_dir %s belongs to another account", dir);
	if (!mint_each_key(dir, count_key, &count, &p) || !count)
		doctor_note(d, DOCTOR_WRONG, "keys_dir_empty", "pintlectl keys rotate",
			    "session.keys_dir %s holds no key to sign with%s%s", dir,
			    *p.detail ? ": " : "", p.detail);
	check_key_files(d, &st, dir);
}

/* ---- pinned keys */

/* The whole file, NULL when it cannot be read. */
static const char *read_file(struct doctor *d, const char *file, size_t *len)
{
	char *data = arena_alloc(d->arena, JWK_SET_MAX_BYTES + 1);
	const int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t got = 1;

	*len = 0;
	while (fd >= 0 && got > 0 && *len <= JWK_SET_MAX_BYTES) {
		got = read(fd, data + *len, JWK_SET_MAX_BYTES + 1 - *len);
		*len += got > 0 ? (size_t)got : 0;
	}
	if (fd >= 0)
		close(fd);
	return fd >= 0 && got >= 0 ? data : NULL;
}

static void check_pinned(struct doctor *d, const struct config_provider *p)
{
	struct problem problem_ = { 0 };
	jws_algorithm_set fits = 0;
	struct jwk_set set;
	struct stat st;
	size_t len;
	const char *data = read_file(d, p->jwks_file, &len);

	if (!data || stat(p->jwks_file, &st)) {
		doctor_note(
			d, DOCTOR_WRONG, "jwks_file_missing",
			"save the provider's key set there, readable by Pintle's account",
			"provider %s: jwks_file %s: %s", p->name, p->jwks_file,
			strerror(errno));
		return;
	}
	if (st.st_mode & 022)
		doctor_note(d, DOCTOR_WRONG, "jwks_file_writable",
			    DOCTOR_TEXT(d, "chmod go-w %s", p->jwks_file),
			    "provider %s: jwks_file %s can be written by others, and is "
			    "not used",
			    p->name, p->jwks_file);
	if (!jwk_set_parse(d->arena, (struct text){ data, len }, &set, &problem_)) {
		doctor_note(d, DOCTOR_WRONG, "jwks_file_bad",
			    "save the provider's key set there: {\"keys\": [...]}",
			    "provider %s: jwks_file %s is no key set: %s", p->name,
			    p->jwks_file, problem_.detail);
		return;
	}
	for (size_t i = 0; i < set.count; i++)
		fits |= set.keys[i].fits;
	if (!set.count)
		doctor_note(d, DOCTOR_WRONG, "jwks_file_no_key",
			    strstr(set.skipped_why, "private")
				    ? "save the public half there, and keep the private "
				      "one away "
				      "from this machine"
				    : "save the provider's signing keys there",
			    "provider %s: jwks_file %s holds no usable key%s%s", p->name,
			    p->jwks_file, *set.skipped_why ? ": " : "", set.skipped_why);
	else if (!(fits & p->algorithms))
		doctor_note(d, DOCTOR_WRONG, "jwks_file_algorithms",
			    "set algorithms to what the provider signs with; the keys' "
			    "kty and crv "
			    "say: RSA is RS256, EC with P-256 is ES256",
			    "provider %s: no key of jwks_file fits any of its algorithms",
			    p->name);
	jwk_set_close(&set);
}

void doctor_keys(struct doctor *d)
{
	if (d->config->session.mode == CONFIG_SESSION_JWT)
		check_keys_dir(d);
	for (size_t i = 0; i < d->config->provider_count; i++)
		if (d->config->providers[i].jwks_file)
			check_pinned(d, &d->config->providers[i]);
}
