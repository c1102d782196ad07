#include "pass.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static bool make_path(const char *state_dir, char out[PATH_MAX])
{
	return snprintf(out, PATH_MAX, "%s/doctor", state_dir) < PATH_MAX;
}

/* Root's file would be one that the service cannot read. */
static bool give_to_owner(const char *dir, int fd)
{
	struct stat st;

	return geteuid() != 0 ||
	       (stat(dir, &st) == 0 && fchown(fd, st.st_uid, st.st_gid) == 0);
}

bool pass_open(const char *state_dir, char out[SECRET_TEXT_LEN + 1], struct problem *p)
{
	unsigned char hash[SHA256_BYTES];
	char path[PATH_MAX];
	bool good;
	int fd;

	if (!make_path(state_dir, path))
		return problem(p, INTERNAL, "state_dir is too long");
	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return problem(p, INTERNAL, "%s: %s", path, strerror(errno));
	secret_token(out);
	secret_sha256(text_of(out), hash);
	good = give_to_owner(state_dir, fd) &&
	       write(fd, hash, sizeof(hash)) == sizeof(hash);
	close(fd);
	return good || problem(p, INTERNAL, "%s: %s", path, strerror(errno));
}

void pass_close(const char *state_dir)
{
	char path[PATH_MAX];

	if (make_path(state_dir, path))
		unlink(path);
}

bool pass_is_valid(const char *state_dir, struct text written, int64_t now)
{
	unsigned char kept[SHA256_BYTES + 1], hash[SHA256_BYTES];
	char path[PATH_MAX];
	struct stat st, dir;
	bool good;
	int fd;

	if (!secret_is_token(written) || !make_path(state_dir, path))
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return false;
	good = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && !(st.st_mode & 077) &&
	       stat(state_dir, &dir) == 0 &&
	       (st.st_uid == geteuid() || (geteuid() == 0 && st.st_uid == dir.st_uid)) &&
	       st.st_mtime <= now + 1 && now - st.st_mtime <= PASS_LIFE_S &&
	       read(fd, kept, sizeof(kept)) == (ssize_t)sizeof(hash);
	close(fd);
	secret_sha256(written, hash);
	return good && secret_equal(kept, hash, sizeof(hash));
}
