"""Setting dpobot up: the guided and the unattended `dpobot init`, and the support file's snippet."""
