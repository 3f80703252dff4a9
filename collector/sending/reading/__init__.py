"""Reading actions from a file of any form that is sent, with bounded memory."""
