/* Files and directories: who else can read and write what, and is there room? */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <unistd.h>

#include "doctor.h"
#include "fetcher.h"

#define SPACE_BYTES (4u * 1024 * 1024)
#define SOCKET_DEFAULT "/run/pintle/fcgi.sock"

static const char *account(struct doctor *d, uid_t uid)
{
	const struct passwd *entry = getpwuid(uid);

	return entry ? DOCTOR_TEXT(d, "%s", entry->pw_name)
		     : DOCTOR_TEXT(d, "%u", (unsigned)uid);
}

static const char *parent_of(struct doctor *d, const char *path)
{
	const char *slash = strrchr(path, '/');

	return !slash	       ? "."
	       : slash == path ? "/"
			       : DOCTOR_TEXT(d, "%.*s", (int)(slash - path), path);
}

/*
 * Whoever can write a directory can put another file in the place of one in it, and so on
 * upwards. With the sticky bit, as in /tmp, he cannot replace what is another's.
 */
static void check_above(struct doctor *d, const char *path, const char *code)
{
	const char *dir = path;
	struct stat st;

	do {
		dir = parent_of(d, dir);
		if (stat(dir, &st) == 0 && (st.st_mode & 022) &&
		    !(st.st_mode & S_ISVTX) &&
		    !((st.st_mode & 022) == 020 && st.st_gid == 0)) {
			doctor_note(d, DOCTOR_WRONG, code,
				    DOCTOR_TEXT(d, "chmod go-w %s", dir),
				    "%s: others can write %s and replace what is in it",
				    path, dir);
			return;
		}
	} while (strcmp(dir, "/") != 0 && strcmp(dir, ".") != 0);
}

/* ---- state_dir */

static bool check_state_dir(struct doctor *d, struct stat *st)
{
	const char *dir = d->config->state_dir;

	if (stat(dir, st)) {
		doctor_note(
			d, DOCTOR_WRONG,
			errno == EACCES ? "state_dir_closed" : "state_dir_missing",
			errno == EACCES
				? "run this as the account that Pintle runs as"
				: DOCTOR_TEXT(
					  d,
					  "install -d -m 0700 -o ACCOUNT -g ACCOUNT %s, "
					  "with the account that Pintle runs as",
					  dir),
			"state_dir %s: %s", dir, strerror(errno));
		return false;
	}
	if (!S_ISDIR(st->st_mode)) {
		doctor_note(d, DOCTOR_WRONG, "state_dir_no_directory",
			    "move that file away, and make a directory in its place",
			    "state_dir %s is no directory", dir);
		return false;
	}
	if (st->st_mode & 022)
		doctor_note(d, DOCTOR_WRONG, "state_dir_writable",
			    DOCTOR_TEXT(d, "chmod 0700 %s", dir),
			    "state_dir %s can be written by others, who could put keys "
			    "of their "
			    "own there (mode %04o)",
			    dir, (unsigned)st->st_mode & 07777);
	check_above(d, dir, "state_dir_above");
	return true;
}

/* In a set-up by hand the account is often made after this; packages have made it before. */
static void note_root(struct doctor *d)
{
	const struct passwd *ours = getpwnam("pintle");
	const char *dir = d->config->state_dir;

	doctor_note(d, ours ? DOCTOR_WRONG : DOCTOR_TODO, "state_dir_root",
		    DOCTOR_TEXT(d, "chown -R %s: %s%s", ours ? "pintle" : "ACCOUNT", dir,
				ours ? "" : ", with the account that Pintle runs as"),
		    "state_dir %s belongs to root: Pintle, which should not run as root, "
		    "cannot write there",
		    dir);
}

static void check_state_owner(struct doctor *d, const struct stat *st)
{
	const char *dir = d->config->state_dir;

	if (geteuid() != 0 && st->st_uid != geteuid())
		doctor_note(
			d, DOCTOR_WRONG, "state_dir_owner",
			DOCTOR_TEXT(d,
				    "chown -R %s %s; or run this as %s, if that is the "
				    "account that Pintle runs as",
				    account(d, geteuid()), dir, account(d, st->st_uid)),
			"state_dir %s belongs to %s, and this is run as %s", dir,
			account(d, st->st_uid), account(d, geteuid()));
	else if (geteuid() == 0 && st->st_uid == 0)
		note_root(d);
	else if ((st->st_mode & 0300) != 0300)
		doctor_note(d, DOCTOR_WRONG, "state_dir_read_only",
			    DOCTOR_TEXT(d, "chmod 0700 %s", dir),
			    "state_dir %s cannot be written by its owner", dir);
}

static void check_space(struct doctor *d)
{
	const char *dir = d->config->state_dir;
	struct statvfs fs;

	if (statvfs(dir, &fs))
		return;
	if ((uint64_t)fs.f_bavail * fs.f_frsize < SPACE_BYTES ||
	    (fs.f_files && fs.f_favail < 16))
		doctor_note(d, DOCTOR_WRONG, "state_dir_full",
			    "make room there, or move state_dir to another file system",
			    "the file system of state_dir %s is full: %llu KiB and %llu "
			    "files are "
			    "left",
			    dir, (unsigned long long)fs.f_bavail * fs.f_frsize / 1024,
			    (unsigned long long)fs.f_favail);
	if (fs.f_flag & ST_RDONLY)
		doctor_note(d, DOCTOR_WRONG, "state_dir_mounted_read_only",
			    "mount it for writing, or move state_dir (in a service: "
			    "StateDirectory=pintle)",
			    "the file system of state_dir %s is mounted read-only", dir);
}

/* Left by a run as root, by another account, or by hand: Pintle refuses to read them. */
static void check_state_file(struct doctor *d, const struct stat *dir, const char *path)
{
	struct stat st;

	if (lstat(path, &st))
		return;
	if (!S_ISREG(st.st_mode))
		doctor_note(d, DOCTOR_WRONG, "state_file_type",
			    DOCTOR_TEXT(d, "rm %s", path),
			    "%s is no regular file, and is not used", path);
	else if (st.st_uid != dir->st_uid)
		doctor_note(d, DOCTOR_WRONG, "state_file_owner",
			    DOCTOR_TEXT(d, "chown %s: %s", account(d, dir->st_uid), path),
			    "%s belongs to %s, not to the owner of state_dir", path,
			    account(d, st.st_uid));
	else if (st.st_mode & 022)
		doctor_note(
			d, DOCTOR_WRONG, "state_file_writable",
			DOCTOR_TEXT(d,
				    "rm %s: it is made anew; whoever wrote it may have "
				    "changed it",
				    path),
			"%s can be written by others, and is not used", path);
}

static void check_state_files(struct doctor *d, const struct stat *dir, const char *name)
{
	const char *place = name ? DOCTOR_TEXT(d, "%s/%s", d->config->state_dir, name)
				 : d->config->state_dir;
	DIR *list = opendir(place);
	const struct dirent *entry;

	if (!list)
		return;
	while ((entry = readdir(list)))
		if (entry->d_name[0] != '.' &&
		    (name || strcmp(entry->d_name, "jwks") != 0))
			check_state_file(d, dir,
					 DOCTOR_TEXT(d, "%s/%s", place, entry->d_name));
	closedir(list);
}

/* ---- the rest */

static void check_fetcher(struct doctor *d)
{
	char path[PATH_MAX];
	const char *program = fetcher_program(path);

	if (access(program, X_OK))
		doctor_note(
			d, DOCTOR_WRONG, "fetch_missing",
			"make install puts it there; a package may have been taken apart",
			"%s, which fetches keys, cannot be run: %s", program,
			strerror(errno));
}

static void check_ca_file(struct doctor *d)
{
	const char *file = d->config->ca_file;
	static const char mark[] = "-----BEGIN CERTIFICATE-----";
	char *data = arena_alloc(d->arena, 65536);
	int fd = file ? open(file, O_RDONLY | O_CLOEXEC) : -1;
	ssize_t got = fd >= 0 ? read(fd, data, 65536) : -1;

	if (fd >= 0)
		close(fd);
	if (!file || (got > 0 && memmem(data, (size_t)got, mark, sizeof(mark) - 1)))
		return;
	doctor_note(d, DOCTOR_WRONG, got < 0 ? "ca_file_missing" : "ca_file_bad",
		    "set ca_file to a file of certificates in PEM form, or take it out "
		    "for the "
		    "system's (Debian: apt-get install ca-certificates)",
		    "ca_file %s %s", file,
		    got < 0 ? strerror(errno) : "holds no certificate");
}

void doctor_files(struct doctor *d)
{
	const struct config *c = d->config;
	struct stat st;

	check_above(d, c->file, "config_above");
	if (c->database.password_file)
		check_above(d, c->database.password_file, "password_above");
	check_fetcher(d);
	check_ca_file(d);
	if (!check_state_dir(d, &st))
		return;
	check_state_owner(d, &st);
	check_space(d);
	check_state_files(d, &st, NULL);
	check_state_files(d, &st, "jwks");
}

/* ---- the socket of a service */

static bool is_in_group(const char *name, gid_t own, gid_t gid)
{
	const struct group *group = getgrgid(gid);

	for (char **member = group ? group->gr_mem : NULL; member && *member; member++)
		if (strcmp(*member, name) == 0)
			return true;
	return own == gid;
}

/* Does any account that a web server is known to run as get to the socket? */
static bool is_reachable(const struct stat *st, bool *any)
{
	static const char *const servers[] = { "www-data", "nginx", "apache",
					       "lighttpd", "http",  "www" };

	*any = false;
	for (size_t i = 0; i < sizeof(servers) / sizeof(*servers); i++) {
		const struct passwd *entry = getpwnam(servers[i]);

		if (!entry)
			continue;
		*any = true;
		if ((entry->pw_uid == st->st_uid && (st->st_mode & 0200)) ||
		    ((st->st_mode & 0020) &&
		     is_in_group(servers[i], entry->pw_gid, st->st_gid)))
			return true;
	}
	return false;
}

static void check_listening(struct doctor *d, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || strlen(path) >= sizeof(address.sun_path))
		return;
	memcpy(address.sun_path, path, strlen(path) + 1);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) &&
	    errno == ECONNREFUSED)
		doctor_note(
			d, DOCTOR_WRONG, "socket_dead",
			"systemctl start pintle.socket, or start pintle.fcgi --listen",
			"nobody listens on the socket %s", path);
	close(fd);
}

void doctor_socket(struct doctor *d)
{
	const char *path = d->socket ? d->socket : SOCKET_DEFAULT;
	struct stat st;
	bool any;

	if (lstat(path, &st)) {
		/* Without one, the web server starts the program itself. */
		if (d->socket)
			doctor_note(d, DOCTOR_WRONG, "socket_missing",
				    "systemctl enable --now pintle.socket, or correct "
				    "--socket",
				    "socket %s: %s", path, strerror(errno));
		return;
	}
	if (!S_ISSOCK(st.st_mode)) {
		doctor_note(d, DOCTOR_WRONG, "socket_type",
			    DOCTOR_TEXT(d, "rm %s, and start the service again", path),
			    "%s is no socket", path);
		return;
	}
	if (st.st_mode & 0002)
		doctor_note(
			d, DOCTOR_WRONG, "socket_open",
			DOCTOR_TEXT(
				d,
				"chmod o-rwx %s; in pintle.socket: SocketMode=0660 and "
				"SocketGroup= the web server's",
				path),
			"every account of this machine can connect to %s, and be anybody",
			path);
	else if (!is_reachable(&st, &any) && any)
		doctor_note(
			d, DOCTOR_WRONG, "socket_closed",
			DOCTOR_TEXT(
				d,
				"chgrp the web server's group (www-data) and chmod 0660 "
				"%s; in pintle.socket: SocketGroup=www-data, "
				"SocketMode=0660",
				path),
			"no account of a web server can connect to %s (mode %04o)", path,
			(unsigned)st.st_mode & 07777);
	check_above(d, path, "socket_above");
	check_listening(d, path);
}
