/* SPDX-License-Identifier: MIT */
/* Functions that docket must not call: a call does not compile. The build includes this file before
 * every source file. The headers that declare these functions are included first: behind the
 * #pragma they would not compile. */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma GCC poison strcpy strcat sprintf vsprintf strtok gets atoi atol atoll system popen
#pragma GCC poison gmtime localtime ctime asctime

#endif
