/* SPDX-License-Identifier: MIT */
/* What the files that open and take listening sockets share. */
#ifndef SOCKETS_LISTEN_PRIVATE_H
#define SOCKETS_LISTEN_PRIVATE_H

#include "sockets/sockets.h"

/* Sets the text of each open socket to the address and port where it is bound, and removes
 * addresses that are not open. */
void listen_name_bound(struct listen_addresses *addresses);

#endif
