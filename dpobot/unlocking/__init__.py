"""What the person does with their archive on their own machine: `dpobot open` decrypts it with their own keys."""
