"""What people have on their disks: files and members of zips, and the pictures in them."""
