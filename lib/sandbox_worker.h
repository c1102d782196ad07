/* What a process that answers requests needs of the machine, from its configuration. */
#ifndef PINTLE_SANDBOX_WORKER_H
#define PINTLE_SANDBOX_WORKER_H

#include "sandbox.h"

/*
 * With CONFIG_FILE, that and the files it names are read again later; NULL: they are not.
 * To be ended with sandbox_free.
 */
struct sandbox *sandbox_worker_new(const struct config *config, const char *config_file);

#endif
