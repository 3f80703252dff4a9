"""What tests share. Nothing of it ships."""
