/* SPDX-License-Identifier: MIT */
/* Calls that do not compile in docket. The build includes this file before every source
 * file; the system headers that declare the names come first, or they would not compile
 * either. */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma GCC poison strcpy strcat sprintf vsprintf strtok gets atoi atol atoll system popen
#pragma GCC poison gmtime localtime ctime asctime

#endif
