//! The trait of `s3s`: each operation goes to the file of its noun.

use std::sync::Arc;

use s3s::dto::*;
use s3s::{S3 as Protocol, S3Request, S3Response, S3Result};

use super::{S3, buckets, error, id_of, lists, multipart, reading, writing};

pub struct Wire(pub Arc<S3>);

/// One method: the operation, its input and output, and who performs it.
macro_rules! operations {
    ($($operation:ident($input:ident) -> $output:ident = $perform:path;)*) => {
        #[async_trait::async_trait]
        impl Protocol for Wire {
            $(async fn $operation(&self, request: S3Request<$input>) -> S3Result<S3Response<$output>> {
                let id = id_of(&request);
                $perform(&self.0, request).await.map_err(|fault| error(fault, &id))
            })*
        }
    };
}

operations! {
    create_bucket(CreateBucketInput) -> CreateBucketOutput = buckets::create_bucket;
    delete_bucket(DeleteBucketInput) -> DeleteBucketOutput = buckets::delete_bucket;
    head_bucket(HeadBucketInput) -> HeadBucketOutput = buckets::head_bucket;
    list_buckets(ListBucketsInput) -> ListBucketsOutput = buckets::list_buckets;
    get_bucket_location(GetBucketLocationInput) -> GetBucketLocationOutput = buckets::get_bucket_location;
    get_bucket_versioning(GetBucketVersioningInput) -> GetBucketVersioningOutput = buckets::get_bucket_versioning;
    get_bucket_notification_configuration(GetBucketNotificationConfigurationInput)
        -> GetBucketNotificationConfigurationOutput = buckets::get_bucket_notification_configuration;
    put_bucket_notification_configuration(PutBucketNotificationConfigurationInput)
        -> PutBucketNotificationConfigurationOutput = buckets::put_bucket_notification_configuration;

    get_object(GetObjectInput) -> GetObjectOutput = reading::get_object;
    head_object(HeadObjectInput) -> HeadObjectOutput = reading::head_object;

    put_object(PutObjectInput) -> PutObjectOutput = writing::put_object;
    copy_object(CopyObjectInput) -> CopyObjectOutput = writing::copy_object;
    delete_object(DeleteObjectInput) -> DeleteObjectOutput = writing::delete_object;
    delete_objects(DeleteObjectsInput) -> DeleteObjectsOutput = writing::delete_objects;

    list_objects(ListObjectsInput) -> ListObjectsOutput = lists::list_objects;
    list_objects_v2(ListObjectsV2Input) -> ListObjectsV2Output = lists::list_objects_v2;

    create_multipart_upload(CreateMultipartUploadInput) -> CreateMultipartUploadOutput
        = multipart::create_multipart_upload;
    upload_part(UploadPartInput) -> UploadPartOutput = multipart::upload_part;
    upload_part_copy(UploadPartCopyInput) -> UploadPartCopyOutput = multipart::upload_part_copy;
    complete_multipart_upload(CompleteMultipartUploadInput) -> CompleteMultipartUploadOutput
        = multipart::complete_multipart_upload;
    abort_multipart_upload(AbortMultipartUploadInput) -> AbortMultipartUploadOutput
        = multipart::abort_multipart_upload;
    list_parts(ListPartsInput) -> ListPartsOutput = multipart::list_parts;
    list_multipart_uploads(ListMultipartUploadsInput) -> ListMultipartUploadsOutput
        = multipart::list_multipart_uploads;
}
