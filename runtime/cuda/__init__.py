"""Programs for NVIDIA GPUs: the driver by ctypes, modules, memory, arrays and executables on a device.

Nothing here is loaded until a program for a GPU is, and the driver not before the first call.

    driver         libcuda, what its results mean
    device         a GPU: its context, stream and properties
    modules        PTX -> cubin -> functions
    memory         blocks of device memory and of pinned host memory that are used again
    services       `mlc_gpu_*`, which native host code calls to launch kernels
    dlpack         arrays for other libraries, without a copy
    device_array   `DeviceArray`, `to_device`
    graphs         launches that are recorded once
    executable     `CudaExecutable`
    timing, energy measurements
"""
