/* The socket on which a web server asks. */
#ifndef PINTLE_LISTENER_H
#define PINTLE_LISTENER_H

#include <stdbool.h>

/* Is descriptor FD a socket that listens? */
bool listener_is(int fd);

/*
 * Opens one: "unix:PATH" (mode 0660; a live one is not taken over) or "ADDRESS:PORT". -1 with
 * a message on stderr.
 */
int listener_open(const char *where);

#endif
