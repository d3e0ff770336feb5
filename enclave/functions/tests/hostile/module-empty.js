// Is empty.

