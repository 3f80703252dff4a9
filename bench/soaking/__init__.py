"""What the soak is judged by: does memory grow, do lines wait longer and longer, which rate is the limit."""
