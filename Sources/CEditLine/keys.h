// The editor's commands and the keys they answer to.
#ifndef CEDITLINE_KEYS_H
#define CEDITLINE_KEYS_H

#include "CEditLine.h"
#include <histedit.h>

/// Keys that nobody types, by which a command of ours becomes one of libedit's.
/// From CEL_KEY_COMMAND on: one for each command of ours.
enum { CEL_KEY_OLDER = 0x80, CEL_KEY_NEWER, CEL_KEY_COMMAND };

/// Whether the maps are those of vi mode.
bool cel_uses_vi(EditLine *);
unsigned char cel_run(EditLine *, CELCommand);
/// Names the commands and binds the keys that ~/.editrc may rebind.
void cel_bind_defaults(EditLine *);
/// Binds what must work whatever ~/.editrc says: Enter, paste, the private keys; in vi mode also what its maps lack.
void cel_bind_essentials(EditLine *);

#endif
