"""With whom a build has contact: processes of the machine that no variation reaches."""
