/* Relay pages: eapp_return_relay_page() and its kin are in eapp.h; programs include this name too. */
#ifndef PENGLAI_EAPP_RELAY_PAGE_H
#define PENGLAI_EAPP_RELAY_PAGE_H

#include "eapp.h"

#endif
