module example.com/ota

go 1.19
