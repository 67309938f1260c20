"""What an installation needs beside the client: deploy, doctor, jobs, import. Comes with `[cli]`."""
