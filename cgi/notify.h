/* What a service manager is told: that we serve, read the configuration again, or stop. */
#ifndef PINTLE_NOTIFY_H
#define PINTLE_NOTIFY_H

/*
 * The protocol of sd_notify(3): one datagram to $NOTIFY_SOCKET, without its library, which
 * would be seven more shared objects for these lines. Does nothing where nobody waits to
 * be told. STATUS is for people (systemctl status), and may be NULL.
 */
void notify_ready(const char *status);
void notify_reloading(void);
void notify_stopping(void);

#endif
